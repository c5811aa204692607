"""Chains of one level: a search by what a referenced resource says, or one that refers to it (FHIR search; SR-08)."""

from collections.abc import Mapping
from typing import NamedTuple

from smart.decisions.question import Question
from smart.fhir.definitions import ResourceDefinition, SearchParameter

_HAS = "_has:"


class Chain(NamedTuple):
    """`subject:Patient.name`, or `_has:Observation:patient:code` with `is_reverse`: `name` is a parameter of `type`."""

    reference: str
    type: str
    name: str
    is_reverse: bool


def parse_chain(parameter: str, of: str, known: Mapping[str, ResourceDefinition]) -> Chain | None:
    """The chain that a parameter of a search for that type asks for; None for whatever is not one of one level."""
    chain = _reverse(parameter) if parameter.startswith(_HAS) else _forward(parameter, of, known)
    if chain is None or "." in chain.name or chain.type not in known or of not in known:
        return None
    source, target = (chain.type, of) if chain.is_reverse else (of, chain.type)
    refers = known[source].parameters.get(chain.reference)
    is_known = chain.name.partition(":")[0] in known[chain.type].parameters
    return chain if is_known and refers is not None and _may_refer(refers, target) else None


def chained_types(question: Question, known: Mapping[str, ResourceDefinition]) -> Mapping[str, str]:
    """The types that the parameters look at, by the parameter, as far as they are chains of one level."""
    chains = {name: parse_chain(name, question.type, known) for name in question.parameters}
    return {name: chain.type for name, chain in chains.items() if chain is not None}


def _forward(parameter: str, of: str, known: Mapping[str, ResourceDefinition]) -> Chain | None:
    head, _, name = parameter.partition(".")
    reference, _, target = head.partition(":")
    if of not in known:
        return None
    refers = known[of].parameters.get(reference)
    targets = {target} if target else set(refers.targets) if refers is not None else set()
    return Chain(reference, targets.pop(), name, is_reverse=False) if len(targets) == 1 else None


def _reverse(parameter: str) -> Chain | None:
    parts = parameter.split(":")
    return Chain(parts[2], parts[1], parts[3], is_reverse=True) if len(parts) == 4 else None


def _may_refer(parameter: SearchParameter, target: str) -> bool:
    return parameter.type == "reference" and (not parameter.targets or target in parameter.targets)
