from typing import Any

import pytest

from smart.http.strict_json import DuplicateMember, loads


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a": [1, null]}', {"a": [1, None]}), (b'"\xc3\xa4"', "ä"), (b'"\xed\xa0\x80"', "\ud800"), ("1.5", 1.5)],
)
def test_strict_json_is_read(text: str | bytes, value: Any) -> None:
    assert loads(text) == value


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "a": 2}}]'])
def test_a_member_that_stands_twice_is_refused_at_any_depth(text: str) -> None:
    with pytest.raises(DuplicateMember):
        loads(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "{", "", "[" * 100_000, b"\xff\xfe\xfa"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # every kind of it
        loads(text)
