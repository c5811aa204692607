"""The ways in which a new record says which patient it is about, none of which is the token's patient."""

from collections.abc import Callable, Mapping
from typing import Any

from smartauth_probe.target.probe import Probe

Elements = Callable[[Probe], dict[str, Any]]


def _reference(written: Callable[[Probe], str]) -> Elements:
    return lambda probe: {"subject": {"reference": written(probe)}}


def _contained(probe: Probe) -> dict[str, Any]:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"value": probe.identifier_of_b}]}
    return {"contained": [patient], "subject": {"reference": "#p"}}


def _labelled(probe: Probe) -> dict[str, Any]:
    """With labels that might lift a protection (WR-15)."""
    tag = {"system": "https://smartauth.example/probe", "code": probe.a.id}
    normal = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "U"}
    return {"meta": {"tag": [tag], "security": [normal]}, "subject": {"reference": probe.b.path}}


# words, and the elements that say it
SUBJECTS: Mapping[str, tuple[str, Elements]] = {
    "other": ("for another patient", _reference(lambda probe: probe.b.path)),
    "other-by-url": (
        "for another patient by a whole address",
        _reference(lambda probe: f"{probe.client.base}/{probe.b.path}"),
    ),
    "other-by-version": (
        "for a version of another patient",
        _reference(lambda probe: f"{probe.b.path}/_history/1"),
    ),
    "other-by-search": (
        "for the patient that a search finds",
        _reference(lambda probe: f"Patient?identifier={probe.identifier_of_b}"),
    ),
    "other-by-identifier": (
        "for another patient by a record number",
        lambda probe: {"subject": {"identifier": {"value": probe.identifier_of_b}}},
    ),
    "other-by-labels": ("for another patient, with labels of its own", _labelled),
    "unknown": ("for a patient who does not exist", _reference(lambda probe: f"Patient/{probe.unknown_id}")),
    "elsewhere": (
        "for a patient of another server",
        _reference(lambda probe: f"https://elsewhere.example/fhir/{probe.a.path}"),
    ),
    "group": ("for a group", _reference(lambda probe: f"Group/{probe.unknown_id}")),
    "contained": ("for a patient contained in it", _contained),
    "nobody": ("for nobody", lambda _: {"subject": None}),
}
