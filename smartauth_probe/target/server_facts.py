"""What a FHIR server says of itself: its CapabilityStatement, Conformance in DSTU2 (FHIR http, capabilities)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from smartauth_probe.requests import Presentation
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.client import Client

MEDIA_TYPES = ("application/fhir+json", "application/json+fhir", "application/json")
STATEMENTS = frozenset({"CapabilityStatement", "Conformance"})
ORDER = ("DSTU2", "STU3", "R4", "R4B", "R5")
TYPE = re.compile("[A-Za-z][A-Za-z0-9_]{0,254}")
VERSIONS = {"1.0": "DSTU2", "3.0": "STU3", "4.0": "R4", "4.1": "R4B", "4.3": "R4B", "5.0": "R5"}


@dataclass(frozen=True, slots=True)
class TypeFacts:
    interactions: frozenset[str]
    parameters: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`types` is empty where the server has no statement: then everything is tried."""

    number: str = ""
    software: str = ""
    accept: str = MEDIA_TYPES[0]
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    interactions: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()

    @property
    def has_statement(self) -> bool:
        return bool(self.types)

    @property
    def version(self) -> str:
        """The name of the FHIR version, "" where it is not known."""
        return VERSIONS.get(".".join(self.number.split(".")[:2]), "")

    def is_before(self, version: str) -> bool:
        """Whether its FHIR version is an older one; False where it is not known."""
        return self.version in ORDER[: ORDER.index(version)]

    def may_do(self, kind: str, interaction: str) -> bool:
        """False only where the statement leaves it out."""
        if not self.has_statement:
            return True
        return kind in self.types and interaction in self.types[kind].interactions

    def may_search_by(self, kind: str, parameter: str) -> bool:
        """False only where the statement names parameters of the type and this one is not among them."""
        known = self.types[kind].parameters if kind in self.types else frozenset()
        return not known or parameter in known

    def __str__(self) -> str:
        fhir = f"FHIR {self.version} ({self.number})" if self.version else f"FHIR {self.number}" if self.number else ""
        return ", ".join(filter(None, [self.software, fhir])) or "nothing: it has no CapabilityStatement"


def server_facts(client: Client) -> ServerFacts:
    """Asks for the statement without a token, in each spelling of the media type. Raises NoAnswer, Stop."""
    for accept in MEDIA_TYPES:
        answer = client.send(Presentation("metadata", headers=(("Accept", accept),)))
        if answer.type in STATEMENTS:
            return read_statement(answer, accept)
        if answer.status not in (406, 415):
            break
    return ServerFacts()


def read_statement(answer: Answer, accept: str) -> ServerFacts:
    """What is of interest in it; members of a wrong type are passed over."""
    statement = answer.resource
    software = _object(statement.get("software"))
    rest = next(iter(_objects(statement.get("rest"))), {})
    name = " ".join(str(software[key]) for key in ("name", "version") if isinstance(software.get(key), str))
    return ServerFacts(
        number=str(statement.get("fhirVersion", "")),
        software=name,
        accept=accept,
        types={kind: facts for kind, facts in map(_type_facts, _objects(rest.get("resource"))) if TYPE.fullmatch(kind)},
        interactions=_codes(rest.get("interaction")),
        operations=_operations(rest),
    )


def _type_facts(resource: Json) -> tuple[str, TypeFacts]:
    parameters = (each.get("name") for each in _objects(resource.get("searchParam")))
    named = frozenset(each for each in parameters if isinstance(each, str))
    return str(resource.get("type", "")), TypeFacts(_codes(resource.get("interaction")), named)


def _operations(rest: Json) -> frozenset[str]:
    everywhere = [rest, *_objects(rest.get("resource"))]
    named = (each.get("name") for place in everywhere for each in _objects(place.get("operation")))
    return frozenset(each.lstrip("$") for each in named if isinstance(each, str))


def _codes(found: Any) -> frozenset[str]:
    return frozenset(each["code"] for each in _objects(found) if isinstance(each.get("code"), str))


def _object(found: Any) -> Json:
    return found if isinstance(found, dict) else {}


def _objects(found: Any) -> Iterator[Json]:
    yield from (each for each in found if isinstance(each, dict)) if isinstance(found, list) else ()
