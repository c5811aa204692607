"""JSON, by whichever library."""

import json
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.event_kinds import EventKind
from smart.json_output import ascii_json, unicode_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@dataclass
class Record:
    name: str = "x"


@pytest.mark.requirement("WF-17")
@given(JSON)
def test_what_is_written_is_ascii_and_read_as_what_it_was(value: Any) -> None:
    text = ascii_json(value)

    assert text.isascii()
    assert json.loads(text) == value
    assert json.loads(unicode_json(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, None, True], "b": {}}, b'{"a":[1,null,true],"b":{}}'),
        ({"name": "Zoë"}, b'{"name":"Zo\\u00eb"}'),
        ("\ud83d", b'"\\ud83d"'),
        (2**64, b"18446744073709551616"),
        ({1: "x"}, b'{"1":"x"}'),
        (EventKind.ISSUED, b'"issued"'),
        (float("nan"), b"null"),
    ],
)
def test_it_is_compact_and_takes_what_the_standard_library_takes(value: Any, expected: bytes) -> None:
    assert ascii_json(value) == expected


def test_characters_that_are_no_ascii_stay_as_they_are_where_that_is_asked() -> None:
    assert unicode_json({"name": "Zoë", "half": "\ud83d"}) == '{"name":"Zoë","half":"\ud83d"}'


@pytest.mark.parametrize("write", [ascii_json, unicode_json])
@pytest.mark.parametrize("value", [{"a": object()}, MappingProxyType({}), b"x", {1j: 1}, date(2026, 1, 1), Record()])
def test_what_is_no_json_is_refused(value: Any, write: Any) -> None:
    with pytest.raises(TypeError):
        write(value)
