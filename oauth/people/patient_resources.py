"""What the pickers show of patients and encounters, read from FHIR resources (`patients_from` of a seed file)."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Patient = dict[str, Any]


class UnreadablePatients(Exception):
    """The file holds no patients; the message says why, in words for its author."""


def read_patients(file: Path) -> list[Patient]:
    """Each Patient of a JSON array or Bundle, as the keys of `patients` in a seed file, with their encounters.

    Raises UnreadablePatients.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadablePatients(f"{file.name} cannot be read: {error}") from None
    try:
        resources = list(_resources(content))
        found = [patient_fields(resource) for resource in resources if resource["resourceType"] == "Patient"]
        encounters = _encounters(resource for resource in resources if resource["resourceType"] == "Encounter")
        return [{**each, "encounters": encounters.get(each["id"], [])} for each in found]
    except (KeyError, TypeError, AttributeError, IndexError):
        raise UnreadablePatients(f"{file.name} is neither a JSON array of FHIR resources nor a Bundle") from None


def _resources(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, list):
        yield from content
    else:
        for entry in content["entry"]:
            yield entry["resource"]


def patient_fields(resource: dict[str, Any]) -> Patient:
    """What the picker shows of a Patient."""
    died = resource.get("deceasedDateTime", "")
    return {
        "id": resource["id"],
        "name": _name(resource.get("name", [])),
        "sex": resource.get("gender", ""),
        "birth_date": resource.get("birthDate", ""),
        "record_number": _record_number(resource.get("identifier", [])),
        "died": died[:4],
    }


def _encounters(resources: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    """The visits of each patient, who is their subject (DSTU2: patient)."""
    found: dict[str, list[dict[str, str]]] = {}
    for resource in resources:
        whose = resource.get("subject", resource.get("patient", {})).get("reference", "")
        found.setdefault(whose.removeprefix("Patient/"), []).append(_encounter(resource))
    return found


def _encounter(resource: dict[str, Any]) -> dict[str, str]:
    places = [place.get("location", {}) for place in resource.get("location", [])]
    named = [place["display"] for place in (*places, resource.get("serviceProvider", {})) if place.get("display")]
    return {
        "id": resource["id"],
        "kind": _kind(resource.get("type", [])),
        "day": resource.get("period", {}).get("start", "")[:10],
        "place": named[0] if named else "",
    }


def _kind(types: list[dict[str, Any]]) -> str:
    """The words of the first type, else the display of its first coding."""
    first = types[0] if types else {}
    coded = first.get("coding", [{}])[0]
    return str(first.get("text") or coded.get("display", ""))


def _name(names: list[dict[str, Any]]) -> str:
    """The official name, else the first one that is no longer an old one."""
    usable = [name for name in names if name.get("use") != "old"]
    chosen = next((name for name in usable if name.get("use") == "official"), usable[0] if usable else {})
    parts = [*chosen.get("given", []), chosen.get("family", "")]
    return str(chosen.get("text") or " ".join(part for part in parts if part))


def _record_number(identifiers: list[dict[str, Any]]) -> str:
    """The identifier of type MR, else the first."""
    for identifier in identifiers:
        if any(coding.get("code") == "MR" for coding in identifier.get("type", {}).get("coding", [])):
            return str(identifier.get("value", ""))
    return str(identifiers[0].get("value", "")) if identifiers else ""
