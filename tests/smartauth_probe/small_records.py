"""What is in the small server: two patients with the same types of records, and others."""

from typing import Any

from smartauth_probe.target.fixture import TYPES

CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
Json = dict[str, Any]


def observation(key: str, patient: str, *categories: str, code: str = "4548-4", **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": each}]} for each in categories],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def patient(key: str, family: str, **more: Any) -> Json:
    name, identifier = [{"family": family}], [{"system": "https://mrn.example", "value": f"mrn-{key}"}]
    return {"resourceType": "Patient", "id": key, "name": name, "identifier": identifier, **more}


def about(kind: str, key: str, patient: str, element: str = "subject", **more: Any) -> Json:
    return {"resourceType": kind, "id": key, element: {"reference": f"Patient/{patient}"}, **more}


def order(kind: str, patient: str) -> Json:
    drug = {"reference": f"Medication/{patient}-drug"}
    return about(kind, f"{patient}-{kind.lower()}", patient, medicationReference=drug)


def document(patient: str) -> Json:
    content = [{"attachment": {"url": f"Binary/{patient}-file"}}]
    return about("DocumentReference", f"{patient}-document", patient, content=content)


def records() -> list[Json]:
    """In the order in which they are listed."""
    listed = _listed()
    known = {each["resourceType"] for each in listed}
    others = [
        about(kind, f"{key}-{kind.lower()}", key) for kind in TYPES if kind not in known for key in ("amy", "ben")
    ]
    return [*listed, *others]


def _listed() -> list[Json]:
    doctor = {"reference": "Practitioner/dr"}
    return [
        patient("amy", "Shaw"),
        patient("ben", "Whitlock"),
        patient("cat", "Other"),
        {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Green"}]},
        observation("amy-lab", "amy", "laboratory", performer=[doctor], encounter={"reference": "Encounter/amy-visit"}),
        observation("amy-vital", "amy", "vital-signs", code="29463-7"),
        observation("amy-both", "amy", "laboratory", "vital-signs", code="85354-9"),
        observation("ben-lab", "ben", "laboratory", code="only-ben", effectiveDateTime="2026-03-05T08:30:00Z"),
        observation("ben-vital", "ben", "vital-signs", code="29463-7", encounter={"reference": "Encounter/ben-visit"}),
        observation("ben-more", "ben", "vital-signs", code="8302-2"),
        observation("ben-most", "ben", "laboratory", code="718-7"),
        about("Condition", "amy-condition", "amy"),
        about("Condition", "ben-condition", "ben"),
        about("Encounter", "amy-visit", "amy", status="finished"),
        about("Encounter", "ben-visit", "ben", status="finished"),
        *(order(kind, key) for kind in ("MedicationRequest", "MedicationOrder") for key in ("amy", "ben")),
        *({"resourceType": "Medication", "id": f"{key}-drug"} for key in ("amy", "ben")),
        *(document(key) for key in ("amy", "ben")),
        *({"resourceType": "Binary", "id": f"{key}-file"} for key in ("amy", "ben")),
        {"resourceType": "Provenance", "id": "ben-provenance", "target": [{"reference": "Observation/ben-lab"}]},
        about("Consent", "ben-consent", "ben", "patient"),
        about(
            "DiagnosticReport",
            "amy-report",
            "amy",
            result=[{"reference": "Observation/amy-lab"}, {"reference": "Observation/amy-vital"}],
        ),
        about("DiagnosticReport", "ben-report", "ben", result=[{"reference": "Observation/ben-lab"}]),
        {
            **about("List", "amy-list", "amy"),
            "entry": [{"item": {"reference": f"Observation/{key}"}} for key in ("amy-lab", "ben-lab")],
        },
        about("Task", "ben-task", "ben", "for"),
        about("Task", "amy-task", "amy", "for"),
    ]
