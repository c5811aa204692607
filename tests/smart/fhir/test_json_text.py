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


def test_an_object_that_names_no_type_takes_new_members_too() -> None:
    assert json_text.with_members('{"a": 1, "b": 2}', {"b": 3, "c": None}) == '{"b": 3, "c": null, "a": 1}'


def test_only_the_named_members_are_left() -> None:
    assert json_text.only_members(TEXT, ["id", "meta"]) == '{"id": "a\\u00e9"}'
    assert json_text.members("{}") == {}
    assert json_text.members('{"a": 1}\n') == {"a": "1"}
    assert json_text.members('{"a":1,"b":2}') == {"a": "1", "b": "2"}


@pytest.mark.parametrize("text", ["", "[]", "7", '"a"', " null"])
def test_what_is_no_object_has_no_members(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        json_text.members(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[]", []),
        (" \t\r\n[ ]", []),
        ('[{"a": 72.50},"é", [1, 2] , 1e2]', ['{"a": 72.50}', '"é"', "[1, 2]", "1e2"]),
        ("\n[\n1\n,\n2\n]\n", ["1", "2"]),
    ],
)
def test_the_items_of_a_list_stay_as_they_were_written(text: str, found: list[str]) -> None:
    assert json_text.items(text) == found


@pytest.mark.parametrize("text", ["", "{}", "7", " null", "]"])
def test_what_is_no_list_has_no_items(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON array"):
        json_text.items(text)


@pytest.mark.parametrize("text", ["[", "[1", "[1, ", "[,]", "[1,,2]"])
def test_a_list_that_breaks_off_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        json_text.items(text)


@given(st.dictionaries(st.text(), values))
def test_taken_apart_and_joined_it_says_the_same(content: dict[str, Any]) -> None:
    text = json.dumps(content)

    assert json.loads(json_text.joined(json_text.members(text))) == content
    assert json.loads(json_text.dumps(json_text.loads(text))) == content


@pytest.mark.parametrize("number", ["72.50", "0.10", "1E+2", "-0.0", "123456789.123456789123456789"])
def test_a_decimal_keeps_its_digits(number: str) -> None:
    assert json_text.dumps(json_text.loads(f'{{"value": [{number}]}}')) == f'{{"value": [{number}]}}'
