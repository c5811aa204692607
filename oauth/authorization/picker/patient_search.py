"""Finding patients at a producer's own FHIR server, for practitioners (AZ-12)."""

import json
import logging
import re
from typing import Any

import httpx

from accounts import clock
from oauth.authorization.picker.search_request import SearchFailed, fetch_patients
from oauth.models import FhirServer, PatientRecord
from oauth.people.patient_resources import patient_fields
from oauth.registration.people import patient_problems
from smart.time_units import to_datetime

log = logging.getLogger("smartauth.authorize")

COUNT = 20

_SPECIAL = re.compile(r"([\\,$|])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def search_patients(server: FhirServer, text: str) -> list[int]:
    """The rows of the patients found there: stored, so that a choice can be proved. Raises SearchFailed."""
    try:
        bundle = json.loads(fetch_patients(server, _parameters(text)))
        resources = [entry["resource"] for entry in bundle.get("entry", [])][:COUNT]
        patients = [patient_fields(resource) for resource in resources if resource.get("resourceType") == "Patient"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        log.warning("the patient search of FHIR server %s failed: %s", server.pk, type(error).__name__)
        raise SearchFailed from error
    stored = [_store(server, patient) for patient in patients]
    return [pk for pk in stored if pk is not None]


def _parameters(text: str) -> dict[str, str]:
    """What was typed decides by what is searched."""
    name = "birthdate" if _DAY.fullmatch(text) else "identifier" if text[-1:].isdigit() else "name"
    escaped = _SPECIAL.sub(r"\\\1", text)  # FHIR search, escaping search parameters
    return {name: escaped, "_count": str(COUNT)}


def _store(server: FhirServer, patient: dict[str, Any]) -> int | None:
    """The row of the patient; None where the registration of patients would refuse it."""
    fields = {name: str(value) for name, value in patient.items() if name != "id"}
    record = PatientRecord(patient=str(patient["id"]), **fields)
    if found := patient_problems(record, today=to_datetime(clock.now()).date()):
        log.warning("a patient of FHIR server %s is left out for its %s", server.pk, ", ".join(found))
        return None
    row, _ = PatientRecord.objects.update_or_create(fhir_server=server, patient=record.patient, defaults=fields)
    return int(row.pk)
