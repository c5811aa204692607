"""Whether a resource lies in a view, as far as its own content tells."""

from typing import Any

import pytest

from smart.decisions.decide import _is_affordable, decide
from smart.decisions.question import question_of_http
from smart.decisions.subject import Subject
from smart.decisions.view import (
    Alternative,
    Compartments,
    Everybody,
    OwnRecord,
    Reach,
    is_visible,
    may_be_stored,
    of_compartment,
)
from smart.fhir.definitions import definitions
from smart.scopes.scope_sets import parse_scopes
from smart.search.criteria import scope_criteria

BASE = "https://fhir.example.org/r4"
R4 = definitions("r4")
OF_A, OWN = Compartments(frozenset({"A"})), OwnRecord("Practitioner", "p")
SERVICE = Subject(parse_scopes("system/*.rs"), is_backend=True)
APP = Subject(parse_scopes("patient/*.rs"), patient="A")
CODED = scope_criteria((("code", ("x",)),), R4["Observation"], BASE)


def observation(reference: Any, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "A", "subject": reference, **members}


def referring(reference: str) -> dict[str, Any]:
    return observation({"reference": reference})


@pytest.mark.requirement("PC-02", "SCP-05")
@pytest.mark.parametrize(
    ("alternative", "content", "visible"),
    [
        (Alternative(Everybody()), referring("Patient/B"), True),
        (Alternative(Everybody()), observation(None), True),
        (Alternative(Everybody(), CODED), referring("Patient/A"), False),
        (Alternative(OF_A), referring("Patient/A"), True),
        (Alternative(OF_A), referring(f"{BASE}/Patient/A"), True),
        (Alternative(OF_A), referring("https://elsewhere.example.org/Patient/A"), False),
        (Alternative(OF_A), referring("Patient/B"), False),
        (Alternative(OF_A), referring("Group/A"), False),
        (Alternative(OF_A), observation({"display": "Patient/A"}), False),
        (Alternative(OF_A), observation(None), False),
        (Alternative(OF_A, CODED), referring("Patient/A"), False),
        (Alternative(OF_A, CODED), observation({"reference": "Patient/B"}, code={"coding": [{"code": "x"}]}), False),
        (Alternative(OF_A, CODED), observation({"reference": "Patient/A"}, code={"coding": [{"code": "x"}]}), True),
        (Alternative(OF_A), {"resourceType": "Patient", "id": "A"}, True),
        (Alternative(OF_A), {"resourceType": "Patient", "id": "B"}, False),
        (Alternative(Compartments(frozenset({"A/B"}))), {"resourceType": "Patient", "id": "A/B"}, False),
        (Alternative(OF_A), {"resourceType": "Patient"}, False),
        (Alternative(OWN), {"resourceType": "Practitioner", "id": "p"}, True),
        (Alternative(OWN), {"resourceType": "Practitioner", "id": "q"}, False),
        (Alternative(OWN), {"resourceType": "Practitioner"}, False),
        (Alternative(OWN), {"resourceType": "Patient", "id": "p"}, False),
    ],
)
def test_a_resource_is_seen_by_what_it_says_of_itself(
    alternative: Alternative, content: dict[str, Any], visible: bool
) -> None:
    assert is_visible(content, (alternative,), R4[content["resourceType"]], BASE) is visible


@pytest.mark.requirement("SR-03")
def test_of_a_compartment_is_what_reaches_its_patient_with_what_it_must_meet() -> None:
    of_b = Compartments(frozenset({"B"}))
    view = (Alternative(Everybody(), CODED), Alternative(Compartments(frozenset({"A", "C"}))), Alternative(OWN))

    assert of_compartment(view, "A") == (Alternative(OF_A, CODED), Alternative(OF_A))
    assert of_compartment(view, "B") == (Alternative(of_b, CODED),)
    assert of_compartment((Alternative(OwnRecord("Patient", "B")),), "A") == ()
    assert of_compartment((Alternative(OwnRecord("Practitioner", "A")),), "A") == ()
    assert of_compartment((Alternative(own := OwnRecord("Patient", "A")),), "A") == (Alternative(own),)


@pytest.mark.requirement("WR-03", "WR-04")
def test_what_names_another_patient_too_is_seen_and_not_stored() -> None:
    members = {"resourceType": "Observation", "performer": [{"reference": "Patient/B"}]}
    content, view = {**members, "subject": {"reference": "Patient/A"}}, (Alternative(OF_A),)

    assert is_visible(content, view, R4["Observation"], BASE)
    assert not may_be_stored(content, view, R4["Observation"], BASE)
    assert may_be_stored(content, (Alternative(OF_A), Alternative(Everybody())), R4["Observation"], BASE)


@pytest.mark.requirement("WR-03", "WR-04", "BT-05")
@pytest.mark.parametrize(
    "reference",
    [
        "Patient?identifier=1", "https://elsewhere.example.org/fhir/Patient?identifier=1", "a:/Patient/B",
        f"{BASE.upper()}/Patient/B", ["Patient/B"],
    ],
)  # fmt: skip
def test_what_some_server_may_read_as_another_patient_is_not_stored(reference: Any) -> None:
    """HAPI FHIR takes a search in a reference for the one patient that it finds."""
    of_a = {"resourceType": "Observation", "subject": {"reference": "Patient/A"}}
    content, view = {**of_a, "performer": [{"reference": reference}]}, (Alternative(OF_A),)

    assert is_visible(content, view, R4["Observation"], BASE)
    assert not may_be_stored(content, view, R4["Observation"], BASE)
    assert may_be_stored(content, (Alternative(Everybody()),), R4["Observation"], BASE)


@pytest.mark.requirement("WR-01", "WR-03")
@pytest.mark.parametrize(
    "reference",
    ["Practitioner/p", f"{BASE}/Practitioner/p", "#p", "urn:oid:1.2.3", "https://elsewhere.example.org/r4/Patient/B"],
)
def test_what_names_somebody_else_plainly_is_stored(reference: str) -> None:
    of_a = {"resourceType": "Observation", "subject": {"reference": "Patient/A"}}
    performers = [{"reference": reference}, {"identifier": {"value": "1"}}, {"display": "Dr B"}]

    assert may_be_stored({**of_a, "performer": performers}, (Alternative(OF_A),), R4["Observation"], BASE)


@pytest.mark.requirement("PC-02")
@pytest.mark.parametrize(
    ("subject", "url", "content", "fits"),
    [
        (SERVICE, "Observation/o", {"resourceType": "Observation"}, True),
        (SERVICE, "Observation/o", {"resourceType": "Observation", "id": "o"}, True),
        (SERVICE, "Observation/o", {"resourceType": "Observation", "id": "x"}, False),
        (SERVICE, "Observation/o", {"resourceType": "Condition", "id": "o"}, False),
        (SERVICE, "Observation/o", ["Observation"], False),
        (APP, "Patient/A", {"resourceType": "Patient"}, True),
        (APP, "Patient/B", {"resourceType": "Patient"}, False),
        (APP, "Patient/B", {"resourceType": "Patient", "id": "A"}, False),
        (APP, "Observation/A", referring("Patient/A"), True),
        (APP, "Observation/A", referring("Patient/B"), False),
    ],
)
def test_a_content_is_that_of_the_resource_that_was_asked_for(
    subject: Subject, url: str, content: Any, fits: bool
) -> None:
    question = question_of_http("GET", url)._replace(content=content)

    assert decide(Reach(subject, "r4", BASE), question, applies_views=False).allowed is fits


def test_a_hundred_thousand_comparisons_are_as_many_as_a_record_may_cost() -> None:
    hundred = scope_criteria((("code", tuple(map(str, range(100)))),), R4["Observation"], BASE)

    assert _is_affordable([None] * 999, (Alternative(OF_A, hundred),))
    assert not _is_affordable([None] * 1000, (Alternative(OF_A, hundred),))
    assert _is_affordable([None] * 1000, (Alternative(OF_A),))


@pytest.mark.requirement("SCP-05")
def test_what_two_contexts_open_alike_is_one_alternative() -> None:
    scopes = parse_scopes("patient/Observation.rs user/Observation.rs")
    subject = Subject(scopes, patient="A", patients=frozenset({"A"}), own_record=("Practitioner", "p"))

    assert Reach(subject, "r4", BASE).view("Observation", "s") == (Alternative(OF_A),)
