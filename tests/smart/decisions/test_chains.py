"""Which parameters are chains of one level, and which type each looks at."""

import pytest

from smart.decisions.chains import Chain, chained_types, parse_chain
from smart.decisions.question import question_of_http
from smart.fhir.definitions import Compartment, ResourceDefinition, SearchParameter, definitions

R4 = definitions("r4")


@pytest.mark.requirement("SR-08")
@pytest.mark.parametrize(
    ("parameter", "of", "chain"),
    [
        ("subject:Patient.name", "Observation", Chain("subject", "Patient", "name", is_reverse=False)),
        ("subject:Patient.name:exact", "Observation", Chain("subject", "Patient", "name:exact", is_reverse=False)),
        ("patient.name", "Observation", Chain("patient", "Patient", "name", is_reverse=False)),
        ("_has:Observation:patient:code", "Patient", Chain("patient", "Observation", "code", is_reverse=True)),
    ],
)
def test_a_chain_of_one_level_looks_at_one_type(parameter: str, of: str, chain: Chain) -> None:
    assert parse_chain(parameter, of, R4) == chain


@pytest.mark.requirement("SR-08")
@pytest.mark.parametrize(
    ("parameter", "of"),
    [
        ("name", "Patient"),
        ("subject.name", "Observation"),  # a subject may be of several types
        ("subject:Patient.nothing", "Observation"),
        ("subject:Nothing.name", "Observation"),
        ("nothing:Patient.name", "Observation"),
        ("nothing.name", "Observation"),
        ("subject:Practitioner.name", "Observation"),
        ("code.name", "Observation"),
        ("code:Patient.name", "Observation"),
        ("subject:Patient.general-practitioner.name", "Observation"),
        ("subject:Patient.link:RelatedPerson.name", "Observation"),
        ("subject:Patient", "Observation"),
        ("subject:Patient.name", "Nothing"),
        ("_has:Observation:patient", "Patient"),
        ("_has:Observation:patient:code:not", "Patient"),
        ("_has:Observation:patient:nothing", "Patient"),
        ("_has:Observation:patient:code.x", "Patient"),
        ("_has:Observation:nothing:code", "Patient"),
        ("_has:Observation:code:code", "Patient"),
        ("_has:Observation:encounter:code", "Patient"),
        ("_has:Nothing:patient:code", "Patient"),
        ("_has:Observation:patient:code", "Nothing"),
    ],
)
def test_whatever_else_is_no_chain(parameter: str, of: str) -> None:
    assert parse_chain(parameter, of, R4) is None


def test_a_reference_without_target_types_may_lead_to_each() -> None:
    about = SearchParameter("about", "reference", (("about",),), frozenset())
    name = SearchParameter("name", "string", (("name",),), frozenset())
    known = {
        each.name: ResourceDefinition(each.name, {each.name: each}, Compartment()) for each in (about, name)
    }  # fmt: skip

    assert parse_chain("about:name.name", "about", known) == Chain("about", "name", "name", is_reverse=False)
    assert parse_chain("about.name", "about", known) is None
    assert parse_chain("_has:about:about:about", "name", known) == Chain("about", "about", "about", is_reverse=True)
    assert parse_chain("_has:about:about:about", "nothing", known) is None


@pytest.mark.requirement("SR-08")
def test_the_types_that_a_search_looks_at_stand_by_their_parameter() -> None:
    question = question_of_http("GET", "Observation?subject:Patient.name=x&code=y&patient.gender=z")

    assert chained_types(question, R4) == {"subject:Patient.name": "Patient", "patient.gender": "Patient"}
