"""FHIR versions as data: a JSON file beside this module is a version, and nothing else is needed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from smart.decisions.interactions import EVERY_TYPE
from smart.fhir.definitions import Compartment, ResourceDefinition, definitions

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ResourceType(ResourceDefinition):
    """A type that is served: which interactions, and which of its search parameters."""

    interactions: tuple[str, ...]
    care_date: str = ""  # the parameter that tells when the care was given

    @classmethod
    def served(cls, defined: ResourceDefinition, data: Mapping[str, Any], interactions: Sequence[str]) -> Self:
        parameters = {name: defined.parameters[name] for name in data["search"]}
        owner = tuple(tuple(path.split(".")) for path in (data.get("owner"),) if path)
        paths = (*defined.compartment.paths, *owner)  # what FHIR's compartment leaves out, and says whose it is
        compartment = replace(defined.compartment, paths=paths, referenced=data.get("referenced", False))
        return cls(
            defined.name, parameters, compartment, tuple(data.get("interactions", interactions)), data.get("care", "")
        )


@dataclass(frozen=True, slots=True)
class Version:
    """What differs between versions.

    `issue_location` is the member in which an OperationOutcome names an element, `subsetted` the tag of a resource of
    which a part is shown, `several` what is answered with several types, `restricted` the
    security labels of what is shown with no token, `writers` who writes by `user/` scopes.
    """

    key: str
    number: str
    media_types: tuple[str, ...]
    issue_location: str
    statement: Mapping[str, Any]
    security_service: Mapping[str, Any]
    subsetted: Mapping[str, str]
    rest: Mapping[str, Any]
    audit_forms: Mapping[str, Any]
    types: Mapping[str, ResourceType]
    restricted: frozenset[tuple[str, str]] = frozenset()
    several: tuple[str, ...] = ()
    writers: frozenset[str] = frozenset()

    @property
    def of_several(self) -> ResourceType:
        """What stands for a type where several are answered: no parameter is every type's."""
        return ResourceType(EVERY_TYPE, {}, Compartment(), self.several)

    @property
    def mime_parameter(self) -> str:
        """The value of the `fhirVersion` MIME parameter: without the patch number (SD-28)."""
        return self.number.rpartition(".")[0]


@cache
def load_version(key: str) -> Version:
    """The version that the file of that name describes."""
    data = json.loads((FOLDER / f"{key}.json").read_text(encoding="utf-8"))
    return Version(
        key=key,
        number=data["fhirVersion"],
        media_types=tuple(data["mediaTypes"]),
        issue_location=data["issueLocation"],
        statement=data["statement"],
        security_service=data["securityService"],
        subsetted=data["subsetted"],
        audit_forms=data["auditForms"],
        rest=data.get("rest", {}),
        restricted=frozenset((one["system"], code) for one in data.get("restricted", ()) for code in one["codes"]),
        several=tuple(data.get("several", ())),
        writers=frozenset(data.get("writers", ())),
        types={
            name: ResourceType.served(definitions(key)[name], value, data.get("interactions", ()))
            for name, value in data["types"].items()
        },
    )


def available_versions() -> tuple[str, ...]:
    """Every version there is a file for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
