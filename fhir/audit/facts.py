"""What an event says, by the names that the forms of the versions use (fhir/versions, auditForms)."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from smart.decisions.interactions import EVERYTHING, LETTERS
from smart.time_units import to_datetime

Told = Mapping[str, Any]
_ACTIONS = {"c": "C", "r": "R", "u": "U", "d": "D", "s": "E"}  # FHIR audit-event-action
_EXECUTE = "E"
_OUTCOMES = {2: "0", 3: "0", 4: "4", 5: "8"}  # FHIR audit-event-outcome, by the class of the status
_CODES = {EVERYTHING: "operation", "search-compartment": "search"}  # FHIR restful-interaction
_OPERATIONS = {"c": "CREATE", "u": "UPDATE", "d": "DELETE"}  # HL7 v3-DataOperation


def is_write(told: Told) -> bool:
    """Whether a version was made, so that a Provenance tells who did."""
    return bool(told.get("is_written"))


def facts_of(event_id: str, count: int, told: Told, patients: Iterable[str]) -> dict[str, Any]:
    """All that a form may ask for. Lists have one item for each agent or entity that there is."""
    references = [reference for reference, _ in told.get("records", ())]
    shown = references or ([told["target"]] if told.get("target") else [])
    interaction = told.get("interaction", "")
    letter = LETTERS.get(interaction, "")
    return {
        "id": event_id,
        "moment": to_datetime(told["at"]).isoformat(timespec="milliseconds"),
        "base": told["base"],
        "interaction": _CODES.get(interaction, interaction),
        "action": _ACTIONS.get(letter, _EXECUTE),
        "operation": _OPERATIONS.get(letter, ""),
        "outcome": _OUTCOMES[told["status"] // 100],
        "description": _description(told, count),
        "records": _as_items(shown),
        "patients": _as_items(f"Patient/{patient}" for patient in sorted(patients)),
        "written": _as_items(references),
        "previous": _as_items(filter(None, map(_version_before, references))),
        **_agents(told),
    }


def _agents(told: Told) -> dict[str, list[dict[str, Any]]]:
    address, person = told["address"], told.get("person", "")
    if "client" not in told:
        return {"apps": [], "people": [], "strangers": [{"address": address}]}
    role = "assembler" if person else "author"
    app = {"client": told["client"], "address": address, "requestor": not person, "role": role}
    people = [{"sub": person, "reference": told["own_record"]}] if person else []
    return {"apps": [app], "people": people, "strangers": []}


def _description(told: Told, count: int) -> str:
    status = HTTPStatus(told["status"])
    counted = f", {count} times within {told['seconds']} seconds" if "seconds" in told else ""
    return f"{status.value} {status.phrase}{counted}"


def _as_items(references: Iterable[str]) -> list[dict[str, str]]:
    return [{"reference": reference} for reference in references]


def _version_before(reference: str) -> str:
    above, _, number = reference.rpartition("/")
    return f"{above}/{int(number) - 1}" if int(number) > 1 else ""
