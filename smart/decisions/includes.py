"""Which types of resources _include and _revinclude bring into an answer (FHIR search, including other resources)."""

from collections.abc import Mapping

from smart.decisions.question import Question
from smart.fhir.definitions import ResourceDefinition
from smart.fhir.versions import resource_types

INCLUDE, REVINCLUDE = "_include", "_revinclude"
_BOTH = frozenset({INCLUDE, REVINCLUDE})


def included_types(question: Question, known: Mapping[str, ResourceDefinition]) -> frozenset[str]:
    """The types that the includes may bring, as far as they can be told."""
    if not (question.include or question.revinclude):
        return frozenset()
    found = [_targets(value, known) for value in question.include]
    return frozenset().union(*found, *(_sources(value, known) for value in question.revinclude))


def unclear_includes(question: Question, version: str, known: Mapping[str, ResourceDefinition]) -> tuple[str, ...]:
    """The parameters of which nobody can tell what they bring: wildcards, and references that are not defined here."""
    if not (question.include or question.revinclude or _BOTH.intersection(question.parameters)):
        return ()
    types, unclear = resource_types(version), []
    targets = [_targets(value, known) for value in question.include]
    if not all(found and found <= types for found in targets) or _has_no_value(question, INCLUDE):
        unclear.append(INCLUDE)
    sources = [_sources(value, known) for value in question.revinclude]
    if not all(found and found <= types for found in sources) or _has_no_value(question, REVINCLUDE):
        unclear.append(REVINCLUDE)
    return tuple(unclear)


def _has_no_value(question: Question, name: str) -> bool:
    values = question.include if name == INCLUDE else question.revinclude
    return name in question.parameters and not values


def _targets(include: str, known: Mapping[str, ResourceDefinition]) -> frozenset[str]:
    """What `Observation:subject` or `Observation:subject:Patient` may bring; nothing where that is not defined."""
    source, _, rest = include.partition(":")
    name, _, target = rest.partition(":")
    if target:
        return frozenset({target})
    parameter = known[source].parameters.get(name) if source in known else None
    return parameter.targets if parameter else frozenset()


def _sources(revinclude: str, known: Mapping[str, ResourceDefinition]) -> frozenset[str]:
    """What `Observation:subject` brings the other way round; nothing where that is not defined.

    Nor what is no single one: a server may take `Observation:subject,Condition:subject` for two.
    """
    source, _, rest = revinclude.partition(":")
    parameter = known[source].parameters.get(rest.partition(":")[0]) if source in known else None
    is_one = parameter is not None and parameter.type == "reference" and "," not in rest
    return frozenset({source}) if is_one else frozenset()
