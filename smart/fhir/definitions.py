"""What of a FHIR version decides who may see a record: search parameters and the patient compartment, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """How a type belongs to a patient: it is one, these parameters name one, or a patient's records refer to it."""

    itself: bool = False
    parameters: tuple[str, ...] = ()
    referenced: bool = False


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """A resource type: what can be searched in it, and how it belongs to a patient."""

    name: str
    parameters: Mapping[str, SearchParameter]
    compartment: Compartment

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> "ResourceDefinition":
        """Raises ValueError for a compartment by parameters that the type does not have."""
        parameters = {key: SearchParameter.parse(key, value) for key, value in data["search"].items()}
        rule = data["compartment"]
        members = tuple(rule.get("parameters", ()))
        if unknown := set(members) - set(parameters):
            raise ValueError(f"{name}: the compartment names unknown parameters {sorted(unknown)}")
        return ResourceDefinition(
            name, parameters, Compartment(rule.get("itself", False), members, rule.get("referenced", False))
        )
