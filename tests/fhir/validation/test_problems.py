"""Whether a resource is one of its FHIR version, and where it is not."""

from typing import Any

import pytest

from fhir.validation.problems import problems
from smart.fhir.versions import FHIR_VERSIONS, resource_types

pytestmark = pytest.mark.one_engine

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "subject": {"reference": "Patient/amy"},
    "effectiveDateTime": "2026-03-01T10:00:00Z",
    "valueQuantity": {"value": 72.50, "unit": "kg"},
}
CONDITION = {"resourceType": "Condition", "subject": {"reference": "Patient/amy"}, "code": {"text": "Asthma"}}
NARRATIVE = {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'><script>1</script></div>"}
STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@pytest.mark.requirement("SD-13")
@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_a_resource_of_every_version_is_taken(version: str) -> None:
    assert problems(version, OBSERVATION) == []


@pytest.mark.requirement("SD-13")
@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"status": "fine"}, "Observation.status", "code-invalid"),
        ({"status": None}, "Observation.status", "code-invalid"),
        ({"code": {"text": 3}}, "Observation.code.text", "value"),
        ({"code": {"text": " "}}, "Observation.code.text", "value"),
        ({"code": {"txet": "x"}}, "Observation.code.txet", "structure"),
        ({"colour": "red"}, "Observation.colour", "structure"),
        ({"category": {"text": "one, not a list"}}, "Observation.category", "value"),
        ({"category": []}, "Observation.category", "value"),
        ({"effectiveDateTime": "2026-13-01"}, "Observation.effectiveDateTime", "value"),
        ({"effectiveDateTime": "2026-03-01T10:00"}, "Observation.effectiveDateTime", "value"),
        ({"effectivePeriod": {"start": "2026"}}, "Observation", "structure"),
        ({"valueQuantity": {"value": "72.50"}}, "Observation.valueQuantity.value", "value"),
        ({"subject": {}}, "Observation.subject", "value"),
        ({"component": [{"valueString": "x"}]}, "Observation.component[0].code", "required"),
        ({"note": [{"time": "2026"}]}, "Observation.note[0].text", "required"),
        ({"id": "no spaces"}, "Observation.id", "value"),
        ({"issued": "\ud800"}, "", "invalid"),
        ({"\ud800": 1}, "", "invalid"),
        ({"text": NARRATIVE}, "Observation.text.div", "invalid"),
        ({"contained": [{"resourceType": "Patient", "active": 1}]}, "Observation.contained[0].active", "value"),
        ({"contained": [{"resourceType": "Nothing"}]}, "Observation.contained[0]", "structure"),
        ({"contained": [{"id": "p"}]}, "Observation.contained[0].resourceType", "required"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(change: dict[str, Any], path: str, code: str) -> None:
    found = problems("r4", {**OBSERVATION, **change})

    assert [(one.path, one.code) for one in found] == [(path, code)]


@pytest.mark.requirement("SD-13")
@pytest.mark.parametrize("missing", ["status", "code"])
def test_what_must_be_there_is_missed(missing: str) -> None:
    left = {name: value for name, value in OBSERVATION.items() if name != missing}
    assert [(one.path, one.code) for one in problems("r4", left)] == [(f"Observation.{missing}", "required")]


def test_a_value_that_is_not_known_may_say_why_in_an_extension() -> None:
    why = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    without = {name: value for name, value in OBSERVATION.items() if name != "status"}
    assert problems("r4", {**without, "_status": {"extension": why}}) == []


@pytest.mark.requirement("SD-13")
@pytest.mark.parametrize(
    ("status", "is_known"),
    [
        ({"coding": [{"system": STATUS, "code": "active"}]}, True),
        ({"coding": [{"system": "urn:x", "code": "1"}, {"system": STATUS, "code": "active"}]}, True),
        ({"coding": [{"system": STATUS, "code": "ongoing"}]}, False),
        ({"coding": [{"system": "urn:x", "code": "active"}]}, False),
        ({"text": "active"}, False),
    ],
)
def test_a_concept_has_one_of_the_codes_that_are_required(status: dict[str, Any], is_known: bool) -> None:
    found = problems("r4", {**CONDITION, "clinicalStatus": status})
    assert [one.path for one in found] == ([] if is_known else ["Condition.clinicalStatus"])


@pytest.mark.requirement("SD-13", "SD-15")
def test_a_version_is_judged_by_its_own_definitions() -> None:
    order = {"resourceType": "MedicationOrder", "medicationCodeableConcept": {"text": "Salbutamol"}}

    assert problems("dstu2", order) == []
    assert [one.code for one in problems("r4", order)] == ["structure"]
    assert [one.path for one in problems("r5", CONDITION)] == ["Condition.clinicalStatus"]
    assert sorted(one.path for one in problems("dstu2", CONDITION)) == [
        "Condition.patient", "Condition.subject", "Condition.verificationStatus",
    ]  # fmt: skip


@pytest.mark.parametrize("sent", [None, [], "Observation", {}, {"resourceType": 3}, {"resourceType": "DomainResource"}])
def test_what_is_no_resource_is_told(sent: Any) -> None:
    assert [one.code for one in problems("r4", sent)] == ["structure"]


@pytest.mark.requirement("SD-20")
def test_depth_and_number_of_values_are_bounded_before_anything_else_is_judged() -> None:
    deep: Any = {"url": "urn:x"}
    for _ in range(100_000):
        deep = {"url": "urn:x", "extension": [deep]}

    assert [one.code for one in problems("r4", {**OBSERVATION, "extension": [deep]})] == ["too-long"]
    assert [one.code for one in problems("r4", {**OBSERVATION, "category": [{}] * 50_001})] == ["too-long"]


def test_no_more_problems_are_told_than_somebody_reads_and_none_repeats_a_value() -> None:
    found = problems("r4", {**OBSERVATION, "category": [{"text": 271828}] * 500})

    assert len(found) == 20
    assert "271828" not in repr(found)


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_every_type_can_be_judged(version: str) -> None:
    """Only that its schema compiles with all that it refers to: a resource of nothing but its type lacks something."""
    for name in sorted(resource_types(version))[::9]:
        assert {one.code for one in problems(version, {"resourceType": name})} <= {"required"}
