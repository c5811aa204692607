"""Which types of resources _include and _revinclude bring into an answer (FHIR search, including other resources)."""

from collections.abc import Mapping
from typing import NamedTuple

from smart.decisions.question import Question
from smart.fhir.definitions import ResourceDefinition
from smart.fhir.versions import resource_types

INCLUDE, REVINCLUDE = "_include", "_revinclude"
_BOTH = frozenset({INCLUDE, REVINCLUDE})


class _Link(NamedTuple):
    """What refers, and to what: of any type where `targets` is empty."""

    source: str
    targets: frozenset[str]


def included_types(question: Question, known: Mapping[str, ResourceDefinition]) -> frozenset[str]:
    """The types that the includes may bring, as far as they can be told."""
    if not (question.include or question.revinclude):
        return frozenset()
    found = [link.targets for link in _links(question.include, known) if link]
    return frozenset().union(*found, *({link.source} for link in _links(question.revinclude, known) if link))


def unclear_includes(question: Question, version: str, known: Mapping[str, ResourceDefinition]) -> tuple[str, ...]:
    """The parameters of which nobody can tell what they bring: wildcards, and references that are not defined here."""
    if not (question.include or question.revinclude or _BOTH.intersection(question.parameters)):
        return ()
    types, unclear = resource_types(version), []
    links = _links(question.include, known)
    if not all(link and link.targets and link.targets <= types for link in links) or _has_no_value(question, INCLUDE):
        unclear.append(INCLUDE)
    links = _links(question.revinclude, known)
    if not all(link and link.source in types for link in links) or _has_no_value(question, REVINCLUDE):
        unclear.append(REVINCLUDE)
    return tuple(unclear)


def _has_no_value(question: Question, name: str) -> bool:
    values = question.include if name == INCLUDE else question.revinclude
    return name in question.parameters and not values


def _links(values: tuple[str, ...], known: Mapping[str, ResourceDefinition]) -> list[_Link | None]:
    return [_link(value, known) for value in values]


def _link(value: str, known: Mapping[str, ResourceDefinition]) -> _Link | None:
    """`Observation:subject` or `Observation:subject:Patient`; None where that is not defined.

    Nor is what is no single one: a server may take `Observation:subject,Condition:subject` for two.
    """
    source, _, rest = value.partition(":")
    name, _, target = rest.partition(":")
    targets = known[source].reference_targets(name) if source in known else None
    if targets is None or (target and target not in (targets or known)):
        return None
    return _Link(source, frozenset({target}) if target else targets)
