"""FHIR versions as data: a JSON file beside this module is a version, and nothing else is needed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
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
    """How a type belongs to a patient: it is one, these parameters name one, or a patient's records refer to it."""

    itself: bool = False
    parameters: tuple[str, ...] = ()
    referenced: bool = False


@dataclass(frozen=True, slots=True)
class ResourceType:
    name: str
    interactions: tuple[str, ...]
    parameters: Mapping[str, SearchParameter]
    compartment: Compartment

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> Self:
        parameters = {key: SearchParameter.parse(key, value) for key, value in data["search"].items()}
        rule = data["compartment"]
        members = tuple(rule.get("parameters", ()))
        if unknown := set(members) - set(parameters):
            raise ValueError(f"{name}: the compartment names unknown parameters {sorted(unknown)}")
        compartment = Compartment(rule.get("itself", False), members, rule.get("referenced", False))
        return cls(name, tuple(data["interactions"]), parameters, compartment)


@dataclass(frozen=True, slots=True)
class Version:
    key: str
    number: str
    media_types: tuple[str, ...]
    statement: Mapping[str, Any]
    security_service: Mapping[str, Any]
    types: Mapping[str, ResourceType]

    @property
    def mime_parameter(self) -> str:
        """The value of the `fhirVersion` MIME parameter: without the patch number (SD-28)."""
        return self.number.rpartition(".")[0]


@cache
def load_version(key: str) -> Version:
    """The version that the file of that name describes."""
    data = json.loads((Path(__file__).parent / f"{key}.json").read_text(encoding="utf-8"))
    return Version(
        key=key,
        number=data["fhirVersion"],
        media_types=tuple(data["mediaTypes"]),
        statement=data["statement"],
        security_service=data["securityService"],
        types={name: ResourceType.parse(name, value) for name, value in data["types"].items()},
    )


def available_versions() -> tuple[str, ...]:
    """Every version there is a file for."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.json")))
