"""What happened, told in the form of a version: facts take the place of their names, what is empty is left out."""

from typing import Any

import pytest

from fhir.audit.forms import fill

FACTS = {"id": "e-1", "none": "", "some": [{"name": "a"}, {"name": ""}], "flag": False}


@pytest.mark.parametrize(
    ("form", "filled"),
    [
        ({"id": "$id", "kind": "fixed"}, {"id": "e-1", "kind": "fixed"}),
        ({"gone": "$none", "inner": {"gone": "$none"}, "list": [{"gone": "$none"}]}, {}),
        ({"kept": "$flag", "number": 0}, {"kept": False, "number": 0}),
        ({"all": [{"$each": "some", "$as": {"name": "$.name", "of": "$id"}}]},
         {"all": [{"name": "a", "of": "e-1"}, {"of": "e-1"}]}),
        ({"all": [{"$each": "some", "$as": {"$needs": "$.name", "name": "$.name", "of": "$id"}}]},
         {"all": [{"name": "a", "of": "e-1"}]}),
        ({"$needs": "$none", "code": "fixed"}, {}),
    ],
)  # fmt: skip
def test_facts_take_the_place_of_their_names(form: Any, filled: Any) -> None:
    assert fill(form, FACTS) == filled


def test_a_form_that_asks_for_an_unknown_fact_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        fill({"id": "$nonsense"}, FACTS)
