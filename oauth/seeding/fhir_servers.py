"""FHIR servers and the patients and encounters that the pickers know there."""

from typing import Any

from oauth.models import EncounterRecord, FhirServer, PatientRecord
from oauth.people.patient_resources import UnreadablePatients, read_patients
from oauth.seeding.outcome import Outcome, put
from oauth.seeding.schema import SeedError
from smart.tokens.claim_profiles import mapping_problem


def save_server(given: dict[str, Any], path: str, outcome: Outcome) -> None:
    """One entry of `fhir_servers`. Patients are added and changed, never taken away."""
    base = given["base"]
    listed = given.pop("patients", [])
    if source := given.pop("patients_from", ""):
        try:
            listed = [*read_patients(outcome.folder / source), *listed]
        except UnreadablePatients as error:
            raise SeedError(f"{path}.patients_from", str(error)) from None
    row = FhirServer.objects.filter(base=base).first() or FhirServer(base=base)
    added = row.pk is None
    if problem := mapping_problem(
        given.get("claim_profile", row.claim_profile), given.get("claim_mapping", row.claim_mapping)
    ):
        raise SeedError(f"{path}.claim_mapping", problem)
    outcome.note(f"FHIR server {base}", added, put(row, given), fhir_server=base)
    _put_patients(row, listed, outcome)


def _put_patients(row: FhirServer, listed: list[dict[str, Any]], outcome: Outcome) -> None:
    known = {record.patient: record for record in row.patients.all()}
    added = changed = 0
    for patient in listed:
        given = {name: value for name, value in patient.items() if name not in ("id", "encounters")}
        record = known.setdefault(patient["id"], PatientRecord(fhir_server=row, patient=patient["id"]))
        is_new = record.pk is None
        changed += bool(put(record, given)) and not is_new
        added += is_new
    if added or changed:
        outcome.changes.append(f"patients of {row.base}: {added} added, {changed} changed")
    every = [(known[patient["id"]], given) for patient in listed for given in patient.get("encounters", [])]
    _put_encounters(row, every, outcome)


def _put_encounters(row: FhirServer, listed: list[tuple[PatientRecord, dict[str, str]]], outcome: Outcome) -> None:
    every = EncounterRecord.objects.filter(record__fhir_server=row)
    known = {(found.record_id, found.encounter): found for found in every}
    added = changed = 0
    for record, given in listed:
        new = EncounterRecord(record=record, encounter=given["id"])
        found = known.setdefault((record.pk, given["id"]), new)
        changed += bool(put(found, {name: value for name, value in given.items() if name != "id"})) and found is not new
        added += found is new
    if added or changed:
        outcome.changes.append(f"encounters of {row.base}: {added} added, {changed} changed")
