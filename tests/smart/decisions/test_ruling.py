"""A ruling is remembered by all that decides, and by nothing of a token beside."""

import json
from typing import Any

import pytest

from smart.decisions.decide import decide
from smart.decisions.decision import DenialReason
from smart.decisions.question import Question, question_of_http
from smart.decisions.ruling import _remembered_ruling, rule
from smart.decisions.subject import Subject
from smart.decisions.view import Reach
from smart.scopes.scope_sets import parse_scopes

BASE = "https://fhir.example.org/r4"
ASKED = question_of_http("GET", "Observation/o?code=x")


def told(question: Question = ASKED, scope: str = "patient/*.rs", views: bool = True, **changed: Any) -> Any:
    version, base = changed.pop("version", "r4"), changed.pop("base", BASE)
    subject = Subject(parse_scopes(scope), **{"patient": "A", **changed})
    found = json.loads(rule(subject, version, base, question, applies_views=views).answer("{}"))
    return found["context"].get("reason") or found["context"].get("view", {}).get("Observation", "all")


OF_A = [{"who": {"compartments": ["Patient/A"]}, "where": []}]


@pytest.mark.requirement("PC-02", "SD-25")
@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, OF_A),
        ({"patient": "B"}, [{"who": {"compartments": ["Patient/B"]}, "where": []}]),
        ({"patient": ""}, DenialReason.INSUFFICIENT_SCOPE),
        ({"scope": "patient/Observation.s"}, DenialReason.INSUFFICIENT_SCOPE),
        ({"scope": "patient/Observation.r?code=x"}, [{**OF_A[0], "where": [{"name": "code", "values": ["x"]}]}]),
        ({"scope": "user/*.rs", "patients": frozenset("C")}, [{"who": {"compartments": ["Patient/C"]}, "where": []}]),
        ({"scope": "system/*.rs", "patient": "", "is_backend": True}, "all"),
        ({"views": False}, DenialReason.NEEDS_VIEW),
        ({"question": question_of_http("GET", "Observation/o?subject.name=x")}, DenialReason.PARAMETER_REFUSED),
        ({"question": question_of_http("PUT", "Observation/o")}, DenialReason.INSUFFICIENT_SCOPE),
        ({"question": ASKED._replace(content={"resourceType": "Patient"})}, DenialReason.NOT_IN_VIEW),
    ],
)
def test_whatever_decides_makes_another_ruling_also_after_one_was_remembered(
    changed: dict[str, Any], found: Any
) -> None:
    for _ in range(2):
        assert told() == OF_A
        assert told(**changed) == found


def test_a_ruling_is_for_its_base_and_version() -> None:
    told()
    subject, elsewhere = Subject(parse_scopes("patient/*.rs"), patient="A"), "https://other.example.org/r4"
    denied = rule(subject, "r4", elsewhere, question_of_http("PUT", "Observation/o"), applies_views=True)

    assert told(question_of_http("GET", "NutritionIntake"), version="r5") != "unknown_interaction"
    assert told(question_of_http("GET", "NutritionIntake")) == "unknown_interaction"
    assert elsewhere in denied.text


def test_what_strangers_may_send_without_end_is_not_remembered() -> None:
    told()
    remembered: Any = _remembered_ruling
    sizes = [remembered.cache_info().currsize]
    for question in (
        question_of_http("GET", "Observation?" + "&".join(f"p{number}=x" for number in range(21))),
        ASKED._replace(content={"resourceType": "Observation"}),
        ASKED._replace(content_before={"resourceType": "Observation"}),
    ):
        told(question)
        sizes.append(remembered.cache_info().currsize)
    told(scope="user/*.rs", patients=frozenset({"A", "B"}))
    told(ASKED._replace(id="another"))

    assert {*sizes, remembered.cache_info().currsize} == {sizes[0]}
    assert remembered.cache_info().maxsize == 2048


@pytest.mark.requirement("WR-11")
def test_among_which_records_a_condition_is_looked_for_is_told_where_there_is_one() -> None:
    subject = Subject(parse_scopes("patient/Observation.us"), patient="A")
    condition, read = question_of_http("PUT", "Observation?code=x"), question_of_http("GET", "Observation?code=x")

    changed, found = (
        json.loads(rule(subject, "r4", BASE, each, applies_views=True, matches_in_view=True).answer("{}"))
        for each in (condition, read)
    )

    assert changed["context"]["match"] == {"Observation": OF_A}
    assert "match" not in found["context"]


@pytest.mark.requirement("WR-11", "SY-03")
def test_what_was_sent_decides_nothing_about_a_condition() -> None:
    content = {"resourceType": "Observation", "subject": {"reference": "Patient/A"}}
    condition = question_of_http("PUT", "Observation?code=x")._replace(content=content, content_before=content)
    app, service = (
        Subject(parse_scopes("patient/*.us"), patient="A"),
        Subject(parse_scopes("system/*.us"), is_backend=True),
    )

    of_app, of_service = (
        decide(Reach(subject, "r4", BASE), condition, applies_views=True, matches_in_view=True)
        for subject in (app, service)
    )

    assert (of_app.is_final, list(of_app.matched)) == (False, ["Observation"])
    assert (of_service.is_final, list(of_service.matched)) == (True, ["Observation"])


@pytest.mark.requirement("PC-02")
def test_one_entry_of_a_search_is_decided_though_other_types_are_not_open() -> None:
    content = {"resourceType": "Observation", "subject": {"reference": "Patient/A"}}
    search = question_of_http("GET", "Observation")._replace(content=content)
    subject = Subject(parse_scopes("patient/Observation.rs"), patient="A")

    assert decide(Reach(subject, "r4", BASE), search, applies_views=True, is_entry=True).is_final
    assert not decide(Reach(subject, "r4", BASE), search, applies_views=True).is_final


@pytest.mark.requirement("SR-02", "SR-08")
@pytest.mark.parametrize("url", ["", "Patient/A/Observation", "Observation?subject:Patient.name=x"])
def test_who_does_not_say_that_it_applies_more_than_views_is_refused_more(url: str) -> None:
    asked = (Subject(parse_scopes("patient/*.rs"), patient="A"), "r4", BASE, question_of_http("GET", url))

    assert rule(*asked, applies_views=True).denial is not None
    assert rule(*asked, applies_views=True, matches_in_view=True, spans_types=True).denial is None
