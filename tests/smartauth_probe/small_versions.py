"""The small server in each FHIR version: its statement, its media type, and its records in the form of that version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from smartauth_probe.requests import FORM
from tests.smartauth_probe.small_records import Json

if TYPE_CHECKING:
    from tests.smartauth_probe.small_server import Asked

NUMBERS = {"DSTU2": "1.0.2", "STU3": "3.0.2", "R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}
OLD_CATEGORIES = "http://hl7.org/fhir/observation-category"
NOT_IN: Mapping[str, set[str]] = {"DSTU2": {"MedicationRequest", "Task", "Coverage"}}  # Coverage has no patient there
ONLY_IN_DSTU2 = {"MedicationOrder"}
BY_PATIENT = {"Condition", "Encounter", "MedicationOrder"}  # in DSTU2


def media_type(version: str) -> str:
    return "application/json+fhir" if version == "DSTU2" else "application/fhir+json"


def statement(version: str, interactions: list[Json], types: list[str]) -> Json:
    """Without patch in DSTU2, which has none."""
    done = [each for each in interactions if (version, each["code"]) != ("DSTU2", "patch")]
    rest = {"mode": "server", "resource": [{"type": each, "interaction": done} for each in types]}
    kind = "Conformance" if version == "DSTU2" else "CapabilityStatement"
    return {"resourceType": kind, "fhirVersion": NUMBERS.get(version, "4.0.1"), "rest": [rest]}


def is_in(version: str, kind: str) -> bool:
    """Whether that version has such a type; without a version everything is there."""
    if not version:
        return True
    return kind not in NOT_IN.get(version, set()) and (kind not in ONLY_IN_DSTU2 or version == "DSTU2")


def in_form_of(version: str, resource: Json) -> Json:
    """The same record as that version has it."""
    found = json.loads(json.dumps(resource))
    if version in ("DSTU2", "STU3"):
        for code in (code for each in found.get("category", ()) for code in each["coding"]):
            code["system"] = OLD_CATEGORIES
    if version == "DSTU2":
        if "category" in found:
            found["category"] = {"coding": [code for each in found["category"] for code in each["coding"]]}
        if found["resourceType"] in BY_PATIENT:
            found["patient"] = found.pop("subject")
    content: Json = found
    return content


def category_codings(resource: Json) -> list[Json]:
    concepts = resource.get("category", [])
    return [code for each in (concepts if isinstance(concepts, list) else [concepts]) for code in each["coding"]]


def refuse_another_version(asked: Asked) -> None:
    """What a server of that version does not understand. Raises Refused."""
    from tests.smartauth_probe.small_server import Refused

    version, headers, request = asked.server.version, asked.headers, asked.request
    if not version:
        return
    named = media_type(version)
    if headers.get("accept", named).split(",")[0] not in (named, "application/json", "*/*"):
        raise Refused(406, "not-supported")
    if request.body and headers.get("content-type") not in (named, FORM, "application/json-patch+json"):
        raise Refused(415, "not-supported")
    if request.method == "PATCH" and version == "DSTU2":
        raise Refused(405, "not-supported")
    if request.method == "POST" and request.path == "Subscription":
        needed = "topic" if version == "R5" else "criteria"
        if needed not in json.loads(request.body):
            raise Refused(422, "required")
