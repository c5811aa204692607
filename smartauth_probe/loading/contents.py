"""The records that are loaded for a patient, as each FHIR version has them: what it demands, and little more."""

from collections.abc import Mapping, Sequence
from typing import Any

Content = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
DAY = "2026-01-15"
OLD = frozenset({"DSTU2", "STU3"})  # of which codes of their own became CodeableConcepts later
# code and category of each result; those of B are codes that A has not
RESULTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "A": (("4548-4", "laboratory"), ("29463-7", "vital-signs")),
    "B": (("718-7", "laboratory"), ("8302-2", "vital-signs")),
}


def patient(letter: str, version: str) -> Content:
    family: Any = f"Probe-{letter}"
    name = {"family": [family] if version == "DSTU2" else family, "given": ["Made for a test"]}
    return {"resourceType": "Patient", "name": [name], "gender": "unknown", "birthDate": "1970-01-01"}


def records(letter: str, version: str, path: str) -> list[Content]:
    """Of the patient who is at that path; what others refer to comes first."""
    subject = {"reference": path}
    return [
        _encounter(version, subject),
        *(_observation(version, subject, code, group) for code, group in RESULTS[letter]),
        _condition(version, subject),
        _allergy(version, subject),
        _order(version, subject),
        _procedure(subject),
        _immunization(version, subject),
    ]


def category(version: str, code: str) -> Any:
    """Of an Observation; in DSTU2 there is one alone."""
    system = category_system(version)
    return _concept(system, code) if version == "DSTU2" else [_concept(system, code)]


def category_system(version: str) -> str:
    return "http://hl7.org/fhir/observation-category" if version in OLD else f"{TERMINOLOGY}/observation-category"


def _concept(system: str, code: str) -> Content:
    return {"coding": [{"system": system, "code": code}]}


def _status(version: str, system: str, code: str) -> Any:
    return code if version in OLD else _concept(f"{TERMINOLOGY}/{system}", code)


def _encounter(version: str, subject: Content) -> Content:
    coding = {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB"}
    kinds: dict[str, Any] = {"DSTU2": "ambulatory", "R5": [{"coding": [coding]}]}
    return {
        "resourceType": "Encounter",
        "status": "completed" if version == "R5" else "finished",
        "class": kinds.get(version, coding),
        "patient" if version == "DSTU2" else "subject": subject,
    }


def _observation(version: str, subject: Content, code: str, group: str) -> Content:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": category(version, group),
        "code": _concept(LOINC, code),
        "subject": subject,
        "effectiveDateTime": DAY,
        "valueString": "Made for a test",
    }


def _condition(version: str, subject: Content) -> Content:
    verified = {"verificationStatus": "confirmed"} if version == "DSTU2" else {}
    return {
        "resourceType": "Condition",
        "clinicalStatus": _status(version, "condition-clinical", "active"),
        **verified,
        "code": _concept(SNOMED, "195967001"),
        "patient" if version == "DSTU2" else "subject": subject,
    }


def _allergy(version: str, subject: Content) -> Content:
    named = "substance" if version == "DSTU2" else "code"
    status = {} if version == "DSTU2" else {"clinicalStatus": _status(version, "allergyintolerance-clinical", "active")}
    return {
        "resourceType": "AllergyIntolerance",
        **status,
        **({"verificationStatus": "confirmed"} if version == "STU3" else {}),
        named: _concept(SNOMED, "256259004"),
        "patient": subject,
    }


def _order(version: str, subject: Content) -> Content:
    drug = _concept(SNOMED, "372687004")
    named = {"medication": {"concept": drug}} if version == "R5" else {"medicationCodeableConcept": drug}
    if version == "DSTU2":
        return {"resourceType": "MedicationOrder", "status": "active", **named, "patient": subject}
    return {"resourceType": "MedicationRequest", "status": "active", "intent": "order", **named, "subject": subject}


def _procedure(subject: Content) -> Content:
    code = _concept(SNOMED, "80146002")
    return {"resourceType": "Procedure", "status": "completed", "code": code, "subject": subject}


def _immunization(version: str, subject: Content) -> Content:
    by_version: dict[str, Content] = {
        "DSTU2": {"date": DAY, "wasNotGiven": False, "reported": False},
        "STU3": {"date": DAY, "notGiven": False, "primarySource": True},
    }
    more = by_version.get(version, {"occurrenceDateTime": DAY})
    vaccine = _concept("http://hl7.org/fhir/sid/cvx", "140")
    return {"resourceType": "Immunization", "status": "completed", "vaccineCode": vaccine, "patient": subject, **more}
