"""FHIR versions as data: a JSON file beside this module is a version, and nothing else is needed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from smart.fhir.definitions import ResourceDefinition


@dataclass(frozen=True, slots=True)
class ResourceType(ResourceDefinition):
    """A type that is served, and how."""

    interactions: tuple[str, ...]

    @classmethod
    def parse(cls, name: str, data: Mapping[str, Any]) -> "ResourceType":
        found = ResourceDefinition.parse(name, data)
        return cls(name, found.parameters, found.compartment, tuple(data["interactions"]))


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
