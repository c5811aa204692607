"""FHIR servers and the patients and encounters that the pickers know there."""

from collections.abc import Callable, Iterable
from typing import Any

from oauth.models import EncounterRecord, FhirServer, PatientRecord
from oauth.people.patient_resources import UnreadablePatients, read_patients
from oauth.registration import fhir_servers
from oauth.registration.people import encounter_problems, patient_problems
from oauth.registration.problems import Problems
from oauth.seeding.outcome import Outcome, find_row, save_fields, set_fields
from oauth.seeding.schema import SeedError
from smart.text import ascii_excerpt

KEYS = {"patient": "id", "encounter": "id"}  # what a field of the row is called in the file
Entry = dict[str, Any]


def save_fhir_server(entry: Entry, path: str, outcome: Outcome) -> None:
    """One entry of `fhir_servers`. Patients are added and changed, never taken away."""
    base, elsewhere = entry["base"], {"patients", "patients_from"}
    row: FhirServer = find_row(FhirServer.objects, base=base) or FhirServer(base=base)
    added = row.pk is None
    changed = set_fields(row, {name: value for name, value in entry.items() if name not in elsewhere})
    SeedError.refuse(fhir_servers.problems(row), path, entry)
    save_fields(row, changed)
    outcome.record_change(f"FHIR server {base}", added, changed, fhir_server=base)
    listed = entry.get("patients", [])
    for place, patient in enumerate(listed):
        SeedError.refuse(_patient_problems(patient, outcome), f"{path}.patients[{place}]", patient, KEYS)
        for at, visit in enumerate(patient.get("encounters", [])):
            SeedError.refuse(_encounter_problems(visit), f"{path}.patients[{place}].encounters[{at}]", visit, KEYS)
    read = _from_file(entry, path, outcome)
    _refuse_repeated(read, listed, path)
    _save_patients(row, [*read, *listed], outcome)


def _patient_problems(entry: Entry, outcome: Outcome) -> Problems:
    values = {name: value for name, value in entry.items() if name not in ("id", "encounters")}
    return patient_problems(PatientRecord(patient=entry["id"], **values), today=outcome.today)


def _encounter_problems(entry: Entry) -> Problems:
    values = {name: value for name, value in entry.items() if name != "id"}
    return encounter_problems(EncounterRecord(encounter=entry["id"], **values))


def _from_file(entry: Entry, path: str, outcome: Outcome) -> list[Entry]:
    """The patients of `patients_from` that pickers may show; each other one is told, with the reason."""
    if not entry.get("patients_from"):
        return []
    try:
        found = read_patients(outcome.folder / entry["patients_from"])
    except UnreadablePatients as error:
        raise SeedError(f"{path}.patients_from", str(error)) from None
    skipped = list(found.skipped)
    patients = [
        {**patient, "encounters": _without(patient["encounters"], "Encounter", _encounter_problems, skipped)}
        for patient in _without(found.patients, "Patient", lambda one: _patient_problems(one, outcome), skipped)
    ]
    outcome.warnings += [f"{path}.patients_from: skipped {one}" for one in skipped]
    return patients


def _without(
    entries: Iterable[Entry], kind: str, judge: Callable[[Entry], Problems], skipped: list[str]
) -> list[Entry]:
    """The entries that have no problem; of each other the reason is added to `skipped`."""
    judged = [(entry, judge(entry)) for entry in entries]
    for entry, problems in judged:
        for field, sentences in list(problems.items())[:1]:
            name = ascii_excerpt(f"{kind}/{entry['id']}", 80)
            skipped.append(f"{name}: {KEYS.get(field, field)} {sentences[0].removesuffix('.')}")
    return [entry for entry, problems in judged if not problems]


def _refuse_repeated(read: list[Entry], listed: list[Entry], path: str) -> None:
    """Raises SeedError where a patient stands in the file and in the list, or a visit with two patients."""
    elsewhere = {patient["id"] for patient in read}
    visits: dict[str, str] = {visit["id"]: one["id"] for one in read for visit in one["encounters"]}
    for place, patient in enumerate(listed):
        if patient["id"] in elsewhere:
            raise SeedError(f"{path}.patients[{place}].id", "is one of patients_from too")
        for at, visit in enumerate(patient.get("encounters", [])):
            if visits.setdefault(visit["id"], patient["id"]) != patient["id"]:
                whose = visits[visit["id"]]
                raise SeedError(f"{path}.patients[{place}].encounters[{at}].id", f"is one of the patient {whose} too")


def _save_patients(row: FhirServer, listed: list[Entry], outcome: Outcome) -> None:
    known = {record.patient: record for record in row.patients.all()}
    added = changed = 0
    for patient in listed:
        values = {name: value for name, value in patient.items() if name not in ("id", "encounters")}
        record = known.setdefault(patient["id"], PatientRecord(fhir_server=row, patient=patient["id"]))
        is_new, fields = record.pk is None, set_fields(record, values)
        save_fields(record, fields)
        changed += bool(fields) and not is_new
        added += is_new
    if added or changed:
        outcome.changes.append(f"patients of {row.base}: {added} added, {changed} changed")
    every = [(known[patient["id"]], visit) for patient in listed for visit in patient.get("encounters", [])]
    _save_encounters(row, every, outcome)


def _save_encounters(row: FhirServer, listed: list[tuple[PatientRecord, dict[str, str]]], outcome: Outcome) -> None:
    every = EncounterRecord.objects.filter(record__fhir_server=row)
    known = {(found.record_id, found.encounter): found for found in every}
    added = changed = 0
    for record, visit in listed:
        new = EncounterRecord(record=record, encounter=visit["id"])
        found = known.setdefault((record.pk, visit["id"]), new)
        fields = set_fields(found, {name: value for name, value in visit.items() if name != "id"})
        save_fields(found, fields)
        changed += bool(fields) and found is not new
        added += found is new
    if added or changed:
        outcome.changes.append(f"encounters of {row.base}: {added} added, {changed} changed")
