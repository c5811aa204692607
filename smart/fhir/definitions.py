"""What of a FHIR version decides who may see a record: search parameters and the patient compartment, as data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

PARAMETER_TYPES = ("string", "token", "date", "reference")


@dataclass(frozen=True, slots=True)
class SearchParameter:
    name: str
    type: str
    paths: tuple[tuple[str, ...], ...]
    targets: frozenset[str]

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> Self:
        if data["type"] not in PARAMETER_TYPES:
            raise ValueError(f"search parameter {name}: unknown type {data['type']!r}")
        paths = tuple(tuple(path.split(".")) for path in data["paths"])
        return cls(name, data["type"], paths, frozenset(data.get("targets", ())))


@dataclass(frozen=True, slots=True)
class Compartment:
    """How a type belongs to a patient: it is one, elements at paths name one, or records of a patient refer to it."""

    itself: bool = False
    paths: tuple[tuple[str, ...], ...] = ()
    referenced: bool = False


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """A resource type: what can be searched in it, and how it belongs to a patient.

    `references` are parameters that no search here evaluates, such as canonical ones, with what they may refer to.
    """

    name: str
    parameters: Mapping[str, SearchParameter]
    compartment: Compartment
    references: Mapping[str, frozenset[str]] = field(default_factory=dict, kw_only=True)

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> Self:
        """Raises ValueError for a compartment by parameters that the type does not have."""
        parameters = {key: SearchParameter.parse(key, value) for key, value in data["search"].items()}
        rule = data["compartment"]
        members = tuple(rule.get("parameters", ()))
        if unknown := set(members) - set(parameters):
            raise ValueError(f"{name}: the compartment names unknown parameters {sorted(unknown)}")
        paths = tuple(path for member in members for path in parameters[member].paths)
        references = {key: frozenset(targets) for key, targets in data.get("references", {}).items()}
        return cls(name, parameters, Compartment(rule.get("itself", False), paths), references=references)

    def reference_targets(self, name: str) -> frozenset[str] | None:
        """What that parameter may refer to, empty where nobody says; None where it is no reference."""
        parameter = self.parameters.get(name)
        if parameter is None:
            return self.references.get(name)
        return parameter.targets if parameter.type == "reference" else None


@cache
def definitions(fhir_version: str) -> Mapping[str, ResourceDefinition]:
    """The types of that version by name; none where its file is not here (`.ci/definitions.py` writes it)."""
    path = Path(__file__).parent / "definitions" / f"{fhir_version}.json"
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: ResourceDefinition.parse(name, data) for name, data in content.items()}
