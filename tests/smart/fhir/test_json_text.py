"""A resource keeps every character that nobody changed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart.fhir import json_text

TEXT = '{ "resourceType":"Observation" , "id": "a\\u00e9", "valueQuantity": {"value": 72.50, "low": [1e2, -0.0]} }'
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,  # of one member; with more, drawing them takes longer than all other tests of that folder
)


def test_a_member_is_replaced_and_the_others_stay_as_they_were_written() -> None:
    changed = json_text.with_members(TEXT, {"meta": {"versionId": "2"}, "id": "b"})

    assert changed == (
        '{"resourceType": "Observation", "meta": {"versionId": "2"}, "id": "b",'
        ' "valueQuantity": {"value": 72.50, "low": [1e2, -0.0]}}'
    )


def test_only_the_named_members_are_left() -> None:
    assert json_text.only_members(TEXT, ["id", "meta"]) == '{"id": "a\\u00e9"}'
    assert json_text.members("{}") == {}


@pytest.mark.parametrize("text", ["", "[]", "7", '"a"', " null"])
def test_what_is_no_object_has_no_members(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        json_text.members(text)


@given(st.dictionaries(st.text(), values))
def test_taken_apart_and_joined_it_says_the_same(content: dict[str, Any]) -> None:
    text = json.dumps(content)

    assert json.loads(json_text.joined(json_text.members(text))) == content
    assert json.loads(json_text.dumps(json_text.loads(text))) == content


@pytest.mark.parametrize("number", ["72.50", "0.10", "1E+2", "-0.0", "123456789.123456789123456789"])
def test_a_decimal_keeps_its_digits(number: str) -> None:
    assert json_text.dumps(json_text.loads(f'{{"value": [{number}]}}')) == f'{{"value": [{number}]}}'
