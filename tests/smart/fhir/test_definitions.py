"""Search parameters and the patient compartment of a FHIR version, as data."""

import re
from collections.abc import Iterator

import pytest

from smart.fhir.definitions import Compartment, ResourceDefinition, SearchParameter, definitions
from smart.fhir.versions import FHIR_VERSIONS, resource_types
from tests.running import ROOT

R4 = definitions("r4")


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_every_resource_type_is_defined_but_parameters_which_has_no_search(version: str) -> None:
    assert set(definitions(version)) == resource_types(version) - {"Parameters"}


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


TABLE = (
    (ROOT / "docs/specification/resource-server.md").read_text(encoding="utf-8").partition("## Patient compartment")[2]
)
COLUMNS = {"dstu2": 1, "stu3": 2, "r4": 3, "r4b": 3, "r5": 4}
# where the table says more than parameters can, or a name stands for another one of the same row
NOT_AS_WRITTEN = {("Patient", version) for version in COLUMNS} | {
    ("AuditEvent", "dstu2"),
    ("AuditEvent", "stu3"),
    ("Provenance", "dstu2"),
    ("Provenance", "stu3"),
    ("ProcedureRequest", "dstu2"),
    ("DiagnosticOrder", "dstu2"),
    ("Device", "r5"),
    ("RequestOrchestration", "r5"),
}


def rows_of_the_table() -> Iterator[tuple[str, str, set[str]]]:
    """Version, type and the parameters that say whose it is, where the table is about a type of that version."""
    for line in TABLE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for version, column in COLUMNS.items():
            for name in re.findall(r"[A-Z]\w+", cells[0]) if len(cells) == 5 else ():
                if name in definitions(version) and (name, version) not in NOT_AS_WRITTEN:
                    yield version, name, set(cells[column].split(", ")) - {"–", "n/a"}


@pytest.mark.requirement("PC-17")
def test_each_version_has_the_compartment_of_the_specifications_table() -> None:
    rows = list(rows_of_the_table())
    paths = {
        (version, name): {path for one in parameters for path in definitions(version)[name].parameters[one].paths}
        for version, name, parameters in rows
    }

    assert len(rows) > 200
    assert {key: set(definitions(key[0])[key[1]].compartment.paths) for key in paths} == paths


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


@pytest.mark.parametrize(
    ("version", "name", "parameter", "expected"),
    [
        ("dstu2", "Observation", "date", {"effectiveDateTime", "effectivePeriod"}),
        ("dstu2", "MedicationOrder", "medication", {"medicationReference"}),
        ("stu3", "Patient", "death-date", {"deceasedDateTime"}),
        ("stu3", "List", "subject", {"subject"}),
        ("r5", "MedicationRequest", "medication", {"medication.reference"}),
    ],
)
def test_older_and_newer_versions_are_read_alike(version: str, name: str, parameter: str, expected: set[str]) -> None:
    assert {".".join(path) for path in definitions(version)[name].parameters[parameter].paths} == expected


def test_whether_something_is_there_is_not_compared_with_what_it_is() -> None:
    assert "deceased" not in definitions("dstu2")["Patient"].parameters


def test_a_reference_knows_what_it_may_point_at() -> None:
    assert R4["Observation"].parameters["patient"].targets == {"Patient"}


@pytest.mark.requirement("GR-15")
def test_what_is_more_than_a_path_is_left_out_so_that_a_scope_with_it_allows_nothing() -> None:
    assert not {"email", "phone", "death-date:missing"} & R4["Patient"].parameters.keys()


def test_a_version_without_definitions_has_none() -> None:
    assert definitions("r9") == {}


def test_a_compartment_by_an_unknown_parameter_and_an_unknown_type_of_parameter_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown parameters"):
        ResourceDefinition.parse("Odd", {"search": {}, "compartment": {"parameters": ["patient"]}})
    with pytest.raises(ValueError, match="unknown type"):
        SearchParameter.parse("odd", {"type": "quantity", "paths": []})


def test_a_type_is_read_with_its_parameters_and_how_it_belongs_to_a_patient() -> None:
    about = {"type": "reference", "paths": ["subject", "participant.actor"], "targets": ["Patient"]}
    search = {"about": about, "day": {"type": "date", "paths": ["day"]}}

    plain = ResourceDefinition.parse("Visit", {"search": search, "compartment": {}})
    named = ResourceDefinition.parse("Visit", {"search": search, "compartment": {"parameters": ["about"]}})
    itself = ResourceDefinition.parse("Visit", {"search": {}, "compartment": {"itself": True}})

    assert plain.parameters["about"] == SearchParameter(
        "about", "reference", (("subject",), ("participant", "actor")), frozenset({"Patient"})
    )
    assert plain.parameters["day"] == SearchParameter("day", "date", (("day",),), frozenset())
    assert (plain.name, plain.compartment) == ("Visit", Compartment())
    assert named.compartment == Compartment(paths=(("subject",), ("participant", "actor")))
    assert itself.compartment == Compartment(itself=True)


@pytest.mark.requirement("SR-04")
@pytest.mark.parametrize(
    ("version", "name", "parameter", "targets"),
    [
        ("r4", "Observation", "patient", {"Patient"}),
        ("r4", "QuestionnaireResponse", "questionnaire", {"Questionnaire"}),
        ("r5", "CapabilityStatement", "guide", {"ImplementationGuide"}),
        ("r4", "ActivityDefinition", "composed-of", set()),
        ("stu3", "ActivityDefinition", "composed-of", set()),
        ("r4", "Observation", "code", None),
        ("r4", "Observation", "nothing", None),
    ],
)
def test_of_each_reference_it_is_known_what_it_may_refer_to(
    version: str, name: str, parameter: str, targets: set[str] | None
) -> None:
    """Also of canonical ones, which no search evaluates; of one to any type nothing is said."""
    assert definitions(version)[name].reference_targets(parameter) == targets


@pytest.mark.requirement("GR-15")
@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_a_reference_that_no_search_evaluates_is_no_parameter_of_a_scope(version: str) -> None:
    for defined in definitions(version).values():
        assert not set(defined.references) & set(defined.parameters)
