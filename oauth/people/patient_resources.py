"""What the pickers show of patients and encounters, read from FHIR resources (`patients_from` of a seed file)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from smart.http import strict_json
from smart.text import ascii_excerpt

Entry = dict[str, Any]
Resource = dict[str, Any]
_ODD = (KeyError, TypeError, AttributeError, IndexError, ValueError)  # what a member of another shape leads to


class UnreadablePatients(ValueError):
    """Why nothing of a file can be read."""


class PatientResources(NamedTuple):
    """Patients as the keys of `patients` in a seed file, with their encounters, and what was skipped and why."""

    patients: list[Entry]
    skipped: list[str]


def read_patients(file: Path) -> PatientResources:
    """Each Patient and Encounter of a JSON array or Bundle. Raises UnreadablePatients."""
    try:
        content = strict_json.loads(file.read_text(encoding="utf-8"))
    except strict_json.DuplicateMember:
        raise UnreadablePatients(f"{file.name} cannot be read: it has a member twice in one object") from None
    except (OSError, ValueError) as error:
        raise UnreadablePatients(f"{file.name} cannot be read: {error}") from None
    resources = _resources(content)
    if resources is None:
        raise UnreadablePatients(f"{file.name} is neither a JSON array of FHIR resources nor a Bundle")
    reading = _Reading()
    for place, resource in enumerate(resources):
        reading.add(place, resource)
    return reading.result()


def _resources(content: Any) -> list[Any] | None:
    """The resources of an array or a Bundle; None for something else."""
    if isinstance(content, dict):
        entries = content.get("entry", [])
        is_bundle = content.get("resourceType") == "Bundle" and isinstance(entries, list)
        return [one.get("resource") if isinstance(one, dict) else one for one in entries] if is_bundle else None
    return content if isinstance(content, list) else None


@dataclass(slots=True)
class _Reading:
    """What was read so far; types other than Patient and Encounter are not looked at."""

    patients: dict[str, Entry] = field(default_factory=dict)
    visits: list[tuple[str, Entry]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, place: int, resource: Any) -> None:
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str):
            self.skipped.append(f"resource {place}: it is no FHIR resource")
        if kind not in ("Patient", "Encounter"):
            return
        name = f"{kind}/{resource.get('id')}"
        shown = f"resource {place} ({ascii_excerpt(name, 80)})"
        entry = _read_fields(patient_fields if kind == "Patient" else _encounter, resource)
        if entry is None:
            self.skipped.append(f"{shown}: it has no id, or members of another shape than FHIR's")
        elif name in self.names:
            self.skipped.append(f"{shown}: its id stands there twice")
        elif kind == "Patient":
            self.patients[entry["id"]] = {**entry, "encounters": []}
        else:
            self.visits.append((shown, entry))
        self.names.add(name)

    def result(self) -> PatientResources:
        """The patients with their encounters; one whose patient is not there is left out."""
        for shown, visit in self.visits:
            patient = self.patients.get(visit.pop("patient"))
            if patient is None:
                self.skipped.append(f"{shown}: its patient is not in the file")
            else:
                patient["encounters"].append(visit)
        return PatientResources(list(self.patients.values()), self.skipped)


def _read_fields(read: Callable[[Resource], Entry], resource: Resource) -> Entry | None:
    """What the picker shows of it, None where a member is no text."""
    try:
        entry = read(resource)
    except _ODD:
        return None
    return entry if all(isinstance(value, str) for value in entry.values()) else None


def patient_fields(resource: Resource) -> Entry:
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


def _encounter(resource: Resource) -> Entry:
    """A visit, and the patient, who is its subject (DSTU2: patient)."""
    places = [place.get("location", {}) for place in resource.get("location", [])]
    named = [place["display"] for place in (*places, resource.get("serviceProvider", {})) if place.get("display")]
    whose: Any = resource.get("subject", resource.get("patient", {}))
    return {
        "id": resource["id"],
        "kind": _kind(resource.get("type", [])),
        "day": resource.get("period", {}).get("start", "")[:10],
        "place": named[0] if named else "",
        "patient": whose.get("reference", "").removeprefix("Patient/"),
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
    family = chosen.get("family", "")
    parts = [*chosen.get("given", []), *(family if isinstance(family, list) else [family])]  # DSTU2: a list
    return str(chosen.get("text") or " ".join(part for part in parts if part))


def _record_number(identifiers: list[dict[str, Any]]) -> str:
    """The identifier of type MR, else the first."""
    for identifier in identifiers:
        if any(coding.get("code") == "MR" for coding in identifier.get("type", {}).get("coding", [])):
            return str(identifier.get("value", ""))
    return str(identifiers[0].get("value", "")) if identifiers else ""
