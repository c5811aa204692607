"""Answers of several types: each type by its own scopes, and no word about the others."""

import pytest

from smart.decisions.decide import decide
from smart.decisions.decision import Decision, Denial, DenialReason
from smart.decisions.question import question_of_http
from smart.decisions.subject import Subject
from smart.decisions.view import Compartments, Everybody, Reach, View, Who
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import parse_scopes

BASE = "https://fhir.example.org/r4"
SERVICE = Subject(parse_scopes("system/*.rs"), is_backend=True)
OF_A = Compartments(frozenset({"A"}))
LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def app(scope: str) -> Subject:
    return Subject(parse_scopes(scope), patient="A")


def asked(subject: Subject, url: str, *, applies_views: bool = True) -> Decision:
    question = question_of_http("GET", url)
    return decide(Reach(subject, "r4", BASE), question, applies_views=applies_views, spans_types=True)


def denial(found: Decision) -> Denial:
    assert found.denial is not None
    return found.denial


def who(view: View) -> list[Who]:
    return [one.who for one in view]


@pytest.mark.requirement("IX-11", "SR-02")
@pytest.mark.parametrize("url", ["", "?_type=Observation,Condition", "_history?_type=Condition,Observation"])
def test_only_the_types_that_a_scope_opens_are_shown_and_searched(url: str) -> None:
    found = asked(app("patient/Observation.s patient/Goal.r"), url)

    assert found.allowed
    assert (list(found.views), list(found.matched)) == (["Observation"], ["Observation"])
    assert who(found.views["Observation"]) == who(found.matched["Observation"]) == [OF_A]
    assert not found.is_final


@pytest.mark.requirement("SR-02", "SY-03")
def test_who_may_see_every_record_hears_that_nothing_is_left_to_apply() -> None:
    found = asked(SERVICE, "", applies_views=False)

    assert found.is_final
    assert found.views.keys() == found.matched.keys() == resource_types("r4")
    assert who(found.views["Observation"]) == [Everybody()]
    assert asked(SERVICE, "?_type=Goal").views.keys() == {"Goal"}


@pytest.mark.requirement("IX-11")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("?_type=Goal,Condition", "s of Goal, Condition"),
        ("", "s of any type"),
        ("Patient/A/$everything", "rs of any type"),
    ],
)
def test_where_no_type_is_open_the_scope_does_not_allow_it(url: str, words: str) -> None:
    refused = denial(asked(app("launch/patient"), url))

    assert refused.reason is DenialReason.INSUFFICIENT_SCOPE
    assert (refused.refusal.status, refused.refusal.error) == (403, "insufficient_scope")
    assert refused.why == {"what": f"no scope of the token covers {words}", "rule": "TV-20"}


@pytest.mark.requirement("SCP-08")
def test_a_type_that_the_version_does_not_know_is_unknown_beside_others_too() -> None:
    refused = denial(asked(SERVICE, "?_type=Observation,Nothing"))

    assert (refused.reason, refused.refusal.status) == (DenialReason.UNKNOWN_INTERACTION, 404)
    assert (refused.why["rule"], refused.why["presented"]) == ("SCP-08", "*")
    assert "r4 has no such type" in refused.why["what"]


@pytest.mark.requirement("PC-04")
def test_who_applies_no_views_gets_no_conditional_yes_about_several_types() -> None:
    assert denial(asked(app("patient/*.rs"), "", applies_views=False)).reason is DenialReason.NEEDS_VIEW
    assert denial(asked(SERVICE, "Patient/A/*", applies_views=False)).reason is DenialReason.NEEDS_VIEW


@pytest.mark.requirement("SR-03")
def test_what_is_asked_of_a_compartment_lies_in_it() -> None:
    of_anybody, of_another = asked(SERVICE, "Patient/A/*"), asked(app("patient/*.rs"), "Patient/B/*")

    assert not of_anybody.is_final
    assert {one for view in of_anybody.views.values() for one in who(view)} == {OF_A}
    assert {one for view in of_anybody.matched.values() for one in who(view)} == {OF_A}
    assert set(of_another.views.values()) == {()}


@pytest.mark.requirement("FO-01", "FO-02", "FO-03")
def test_everything_of_a_patient_is_what_may_be_read_and_found_and_the_patient_what_may_be_read() -> None:
    scope = f"patient/Observation.rs?category={LABORATORY} patient/Observation.s?code=http://x|1 patient/Goal.r"

    found = asked(app(f"{scope} patient/Condition.s patient/Patient.r"), "Patient/A/$everything")

    assert (list(found.views), sorted(found.matched)) == (["Observation"], ["Observation", "Patient"])
    assert (len(found.views["Observation"]), len(found.matched["Observation"])) == (1, 2)
    assert who(found.matched["Patient"]) == [OF_A]
    assert who(asked(SERVICE, "Patient/A/$everything").matched["Patient"]) == [OF_A]
    assert denial(asked(app(scope), "Patient/A/$everything")).reason is DenialReason.INSUFFICIENT_SCOPE
    assert "Patient" not in asked(app(scope), "Patient/A/*").matched


@pytest.mark.requirement("SR-08")
def test_a_parameter_that_looks_elsewhere_is_refused_also_for_several_types() -> None:
    refused = denial(asked(app("patient/*.rs"), "?_type=Observation&_filter=x"))

    assert (refused.reason, refused.parameters) == (DenialReason.PARAMETER_REFUSED, ("_filter",))


@pytest.mark.requirement("SR-02")
def test_who_does_not_say_that_it_spans_types_hears_of_none() -> None:
    for url in ("", "Patient/A/Observation"):
        found = decide(Reach(SERVICE, "r4", BASE), question_of_http("GET", url), applies_views=True)
        assert denial(found).reason is DenialReason.UNKNOWN_INTERACTION
    assert who(asked(SERVICE, "Patient/A/Observation").views["Observation"]) == [OF_A]
