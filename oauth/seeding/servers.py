"""FHIR servers and the patients that the picker knows there."""

from typing import Any

from oauth.models import FhirServer, PatientRecord
from oauth.seeding import patients
from oauth.seeding.outcome import Outcome, put


def put_server(given: dict[str, Any], path: str, outcome: Outcome) -> None:
    """One entry of `fhir_servers`. Patients are added and changed, never taken away."""
    base = given["base"]
    listed = given.pop("patients", [])
    if source := given.pop("patients_from", ""):
        listed = [*patients.read(outcome.folder / source, f"{path}.patients_from"), *listed]
    row = FhirServer.objects.filter(base=base).first() or FhirServer(base=base)
    added = row.pk is None
    outcome.note(f"FHIR server {base}", added, put(row, given), fhir_server=base)
    _put_patients(row, listed, outcome)


def _put_patients(row: FhirServer, listed: list[dict[str, str]], outcome: Outcome) -> None:
    known = {record.patient: record for record in row.patients.all()}
    added = changed = 0
    for patient in listed:
        given = {name: value for name, value in patient.items() if name != "id"}
        record = known.setdefault(patient["id"], PatientRecord(fhir_server=row, patient=patient["id"]))
        is_new = record.pk is None
        changed += bool(put(record, given)) and not is_new
        added += is_new
    if added or changed:
        outcome.changes.append(f"patients of {row.base}: {added} added, {changed} changed")
