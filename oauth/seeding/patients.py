"""What the picker shows of patients, read from a file of FHIR resources (`patients_from` of a seed file)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oauth.seeding.rules import SeedError

Patient = dict[str, str]


def read(file: Path, path: str) -> list[Patient]:
    """Each Patient of a JSON array or Bundle, as the keys of `patients` in a seed file. Raises SeedError."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeedError(path, f"{file.name} cannot be read: {error}") from None
    try:
        return [_patient(resource) for resource in _resources(content) if resource["resourceType"] == "Patient"]
    except (KeyError, TypeError, AttributeError, IndexError):
        raise SeedError(path, f"{file.name} is neither a JSON array of FHIR resources nor a Bundle") from None


def _resources(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, list):
        yield from content
    else:
        for entry in content["entry"]:
            yield entry["resource"]


def _patient(resource: dict[str, Any]) -> Patient:
    died = resource.get("deceasedDateTime", "")
    return {
        "id": resource["id"],
        "name": _name(resource.get("name", [])),
        "sex": resource.get("gender", ""),
        "birth_date": resource.get("birthDate", ""),
        "record_number": _record_number(resource.get("identifier", [])),
        "died": died[:4],
    }


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
