"""JSON in ASCII, by whichever library."""

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.event_kinds import EventKind
from smart.ascii_json import ascii_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.requirement("WF-17")
@given(JSON)
def test_what_is_written_is_ascii_and_read_as_what_it_was(value: Any) -> None:
    text = ascii_json(value)

    assert text.isascii()
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, None, True], "b": {}}, b'{"a":[1,null,true],"b":{}}'),
        ({"name": "Zoë"}, b'{"name":"Zo\\u00eb"}'),
        ("\ud83d", b'"\\ud83d"'),
        (2**64, b"18446744073709551616"),
        ({1: "x"}, b'{"1":"x"}'),
        (EventKind.ISSUED, b'"issued"'),
        ("\0\x7f/", b'"\\u0000\x7f/"'),
    ],
)
def test_it_is_compact_and_takes_what_the_standard_library_takes(value: Any, expected: bytes) -> None:
    assert ascii_json(value) == expected


@pytest.mark.parametrize("value", [{"a": object()}, MappingProxyType({}), b"x", {1j: 1}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        ascii_json(value)
