"""Does a resource match one parameter of a search: value by value, for each type of parameter."""

from typing import Any

import pytest

from smart.fhir.definitions import SearchParameter, definitions
from smart.search.criteria import Criterion, UnsupportedCriterion, criterion, is_match, parameter_name, scope_criteria

BASE = "https://fhir.example.org/r4"
R4 = definitions("r4")
CODED = {"code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}, {"system": "urn:x", "code": "a|b"}]}}


def finds(resource_type: str, name: str, value: str, content: Any) -> bool:
    return criterion(R4[resource_type], name, value.split(","), BASE).matches(content)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("718-7", True),
        ("http://loinc.org|718-7", True),
        ("http://loinc.org|", True),
        ("urn:x|a|b", False),  # the last bar parts system and code
        ("|718-7", False),
        ("urn:x|718-7", False),
        ("718", False),
        ("|", False),
        ("", False),
        ("other,718-7", True),
    ],
)
def test_a_token_is_a_code_a_system_or_both(value: str, *, found: bool) -> None:
    assert finds("Observation", "code", value, CODED) is found
    assert finds("Observation", "code:not", value, CODED) is not found


@pytest.mark.parametrize(
    ("name", "content", "value"),
    [
        ("status", {"status": "final"}, "final"),
        ("status", {"status": "final"}, "|final"),
        ("status", {"status": True}, "true"),
        ("status", {"status": False}, "false"),
        ("identifier", {"identifier": [{"system": "urn:mrn", "value": "7"}]}, "urn:mrn|7"),
        ("code", {"code": {"coding": {"code": "alone"}}}, "alone"),
        ("_tag", {"meta": {"tag": [{"code": "t", "value": "other"}]}}, "t"),
    ],
)
def test_a_token_is_found_in_every_shape_of_a_code(name: str, content: Any, value: str) -> None:
    assert finds("Observation", name, value, content)
    assert not finds("Observation", name, f"{value}x", content)
    assert not finds("Observation", name, "|", content)


@pytest.mark.parametrize("content", [{"code": {"text": "718-7"}}, {"code": ["718"]}, {"code": None}, {}, []], ids=repr)
def test_a_token_is_not_found_where_there_is_no_code(content: Any) -> None:
    assert not finds("Observation", "code", "718-7", content)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("family", "arg", True),
        ("family", "ÄRG", True),
        ("family", "rger", False),
        ("family", "Ärger", True),
        ("family", "", False),
        ("family", "\u0301", False),  # an accent alone
        ("family:contains", "RGE", True),
        ("family:contains", "x", False),
        ("family:contains", "", False),
        ("family:exact", "Ärger", True),
        ("family:exact", "ärger", False),
        ("family:exact", "Ärge", False),
    ],
)
def test_a_text_begins_with_what_is_searched_without_accents_and_case(name: str, value: str, *, found: bool) -> None:
    assert finds("Patient", name, value, {"name": [{"family": 4}, {"family": "Ärger"}]}) is found


def test_what_is_no_text_has_no_beginning() -> None:
    assert not finds("Patient", "family", "4", {"name": [{"family": 4}, {"family": None}]})


@pytest.mark.parametrize(
    ("stored", "value", "found"),
    [
        ({"effectiveDateTime": "2024-06-03"}, "2024-06", True),
        ({"effectiveDateTime": "2024-06-03"}, "2024-07", False),
        ({"effectiveDateTime": "2024-06-03"}, "gt2024-05", True),
        ({"effectivePeriod": {"start": "2024-06-03", "end": "2024-06-09"}}, "2024-06", True),
        ({"effectivePeriod": {"start": "2024-06-03"}}, "2024-06", False),
        ({"effectivePeriod": {"start": "2024-06-03"}}, "gt2030", True),
        ({"effectivePeriod": {"start": "2024-06-03"}}, "lt2024-06", False),
        ({"effectivePeriod": {"end": "2024-06-09"}}, "lt1000", True),
        ({"effectivePeriod": {"end": "2024-06-09"}}, "eb2024-06-10", True),
        ({"effectivePeriod": {"end": "2024-06-09"}}, "eb2024-06-09", False),
        ({"effectivePeriod": {"start": "2024-06", "end": "2024-06"}}, "2024-06", True),
        ({"effectiveDateTime": "soon"}, "ne2024", False),
        ({"effectiveDateTime": 2024}, "2024", False),
        ({"effectivePeriod": {"start": 2024}}, "2024", False),
        ({"effectivePeriod": {"end": "never"}}, "ge2000", False),
    ],
)
def test_a_date_is_an_interval_and_a_period_may_be_open(stored: Any, value: str, *, found: bool) -> None:
    assert finds("Observation", "date", value, stored) is found


@pytest.mark.parametrize(
    ("name", "value", "reference", "found"),
    [
        ("subject", "amy", "Patient/amy", True),
        ("subject", "Patient/amy", "Patient/amy", True),
        ("subject", f"{BASE}/Patient/amy", "Patient/amy", True),
        ("subject", "amy", f"{BASE}/Patient/amy", True),
        ("subject", "amy", "Patient/amy/_history/3", True),
        ("subject", "Group/amy", "Patient/amy", False),
        ("subject", "ben", "Patient/amy", False),
        ("subject", "https://other.example.org/Patient/amy", "Patient/amy", False),
        ("subject", "amy", "https://other.example.org/Patient/amy", False),
        ("subject", "amy", "Practitioner/amy", False),  # no subject is a practitioner
        ("subject", "#amy", "#amy", False),
        ("patient", "amy", "Patient/amy", True),
        ("patient", "amy", "Group/amy", False),
        ("subject:Patient", "amy", "Patient/amy", True),
        ("subject:Patient", "Patient/amy", "Patient/amy", True),
        ("subject:Group", "amy", "Patient/amy", False),
        ("subject:Patient", "amy", "Group/amy", False),
    ],
)
def test_a_reference_is_an_id_a_type_with_an_id_or_a_url(name: str, value: str, reference: str, *, found: bool) -> None:
    assert finds("Observation", name, value, {"subject": {"reference": reference}}) is found


def test_a_parameter_without_target_types_leads_to_each_type() -> None:
    anything = SearchParameter("about", "reference", (("about",),), frozenset())

    assert Criterion(anything, "", ("r",), BASE).matches({"about": {"reference": "Practitioner/r"}})


@pytest.mark.parametrize(
    ("value", "found"), [("urn:mrn|7", True), ("7", True), ("urn:mrn|8", False), ("urn:x|7", False)]
)
def test_a_reference_is_found_by_what_it_says_of_an_identifier(value: str, *, found: bool) -> None:
    named = {"subject": {"identifier": {"system": "urn:mrn", "value": "7"}}}

    assert finds("Observation", "subject:identifier", value, named) is found
    assert not finds("Observation", "subject:identifier", value, {"subject": "7"})
    assert not finds("Observation", "subject:identifier", value, {"subject": {"reference": "Patient/7"}})


@pytest.mark.parametrize("name", ["status", "subject", "date"])
def test_what_is_missing_is_not_there_whatever_it_would_say(name: str) -> None:
    there = {"status": "", "subject": {}, "effectivePeriod": {}}

    assert finds("Observation", f"{name}:missing", "true", {})
    assert not finds("Observation", f"{name}:missing", "false", {})
    assert finds("Observation", f"{name}:missing", "false", there)
    assert not finds("Observation", f"{name}:missing", "true", there)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("nothing", "x", "an unknown parameter"),
        ("status:above", "x", "that modifier on status"),
        ("status:exact", "x", "that modifier on status"),
        ("status:Patient", "x", "that modifier on status"),
        ("date:exact", "2024", "that modifier on date"),
        ("subject:patient", "x", "that modifier on subject"),
        ("subject:Pat1ent", "x", "that modifier on subject"),
        ("subject:not", "x", "that modifier on subject"),
        ("status:missing", "yes", "status:missing takes true or false"),
        ("status:missing", "true,false", "status:missing takes true or false"),
        ("date:missing", "2024", "date:missing takes true or false"),
        ("date", "soon", "date takes a date"),
        ("date", "2024,soon", "date takes a date"),
    ],
)
def test_what_cannot_be_evaluated_is_said_at_once(name: str, value: str, said: str) -> None:
    with pytest.raises(UnsupportedCriterion, match=f"^{said}$"):
        criterion(R4["Observation"], name, value.split(","), BASE)


def test_every_criterion_of_a_scope_must_be_met_and_none_has_a_modifier() -> None:
    both = scope_criteria((("status", ("final",)), ("code", ("718-7",))), R4["Observation"], BASE)

    assert is_match({**CODED, "status": "final"}, both)
    assert not is_match(CODED, both)
    assert is_match(CODED, ())
    with pytest.raises(UnsupportedCriterion, match="a modifier in a scope"):
        scope_criteria((("status", ("final",)), ("code:not", ("718-7",))), R4["Observation"], BASE)


def test_the_name_of_a_parameter_stands_before_the_first_colon() -> None:
    assert [parameter_name(name) for name in ("subject", "subject:Patient", "a:b:c")] == ["subject", "subject", "a"]
