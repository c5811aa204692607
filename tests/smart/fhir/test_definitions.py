"""Search parameters and the patient compartment of a FHIR version, as data."""

import pytest

from smart.fhir.definitions import ResourceDefinition, SearchParameter, definitions
from smart.fhir.versions import resource_types

R4 = definitions("r4")


def test_every_resource_type_is_defined_but_parameters_which_has_no_search() -> None:
    assert set(R4) == resource_types("r4") - {"Parameters"}


@pytest.mark.requirement("PC-17")
def test_66_types_belong_to_patients_as_the_compartment_definition_says() -> None:
    of_patients = {name for name, defined in R4.items() if defined.compartment.itself or defined.compartment.paths}
    assert len(of_patients) == 66
    assert not of_patients & {"Practitioner", "Organization", "Location", "Medication", "Questionnaire"}


@pytest.mark.requirement("PC-17")
@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("Observation", {"performer", "subject"}),
        ("Condition", {"subject", "asserter"}),
        ("Appointment", {"participant.actor"}),
        ("Coverage", {"policyHolder", "subscriber", "beneficiary", "payor"}),
        ("Group", {"member.entity"}),
    ],
)
def test_a_record_belongs_to_the_patients_that_these_elements_name(name: str, paths: set[str]) -> None:
    assert {".".join(path) for path in R4[name].compartment.paths} == paths


@pytest.mark.parametrize(
    ("name", "parameter", "expected"),
    [
        ("Observation", "date", {"effectiveDateTime", "effectiveInstant", "effectivePeriod"}),
        ("Observation", "value-concept", {"valueCodeableConcept"}),
        ("MedicationRequest", "code", {"medicationCodeableConcept"}),
        ("Patient", "family", {"name.family"}),
        ("Patient", "_lastUpdated", {"meta.lastUpdated"}),
    ],
)
def test_a_choice_of_types_is_written_as_in_json(name: str, parameter: str, expected: set[str]) -> None:
    assert {".".join(path) for path in R4[name].parameters[parameter].paths} == expected


def test_a_reference_knows_what_it_may_point_at() -> None:
    assert R4["Observation"].parameters["patient"].targets == {"Patient"}


@pytest.mark.requirement("GR-15")
def test_what_is_more_than_a_path_is_left_out_so_that_a_scope_with_it_allows_nothing() -> None:
    assert not {"email", "phone", "death-date:missing"} & R4["Patient"].parameters.keys()


def test_a_version_without_definitions_has_none() -> None:
    assert definitions("dstu2") == {}


def test_a_compartment_by_an_unknown_parameter_and_an_unknown_type_of_parameter_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown parameters"):
        ResourceDefinition.parse("Odd", {"search": {}, "compartment": {"parameters": ["patient"]}})
    with pytest.raises(ValueError, match="unknown type"):
        SearchParameter.parse("odd", {"type": "quantity", "paths": []})
