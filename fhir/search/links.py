"""What a search asks of other resources: chains, and which of them come along (FHIR search, chaining, include)."""

from collections.abc import Mapping
from typing import NamedTuple

from fhir.operation_outcome import BadRequest
from smart.decisions.chains import Chain, parse_chain
from smart.decisions.question import ITERATE
from smart.fhir.definitions import ResourceDefinition
from smart.search.criteria import Criterion, UnsupportedCriterion, criterion

MAX_INCLUDES = 10
_INCLUDE, _REVINCLUDE = "_include", "_revinclude"
INCLUDING = (_INCLUDE, _INCLUDE + ITERATE, _REVINCLUDE, _REVINCLUDE + ITERATE)


class ChainedCriterion(NamedTuple):
    """What the resource at the other end of a reference must meet."""

    chain: Chain
    criterion: Criterion


class Include(NamedTuple):
    """`source` has a reference `parameter`; what it refers to comes along, or `source` itself where it is reverse."""

    source: str
    parameter: str
    target: str
    is_reverse: bool
    iterates: bool


def parse_chained(
    name: str, values: list[str], of: str, known: Mapping[str, ResourceDefinition], base: str
) -> ChainedCriterion:
    """The criterion of a chain of one level. Raises BadRequest."""
    chain = parse_chain(name, of, known)
    if chain is None:
        raise BadRequest("Of chains only those of one level are supported, with the type where it is not clear.")
    try:
        return ChainedCriterion(chain, criterion(known[chain.type], chain.name, values, base))
    except UnsupportedCriterion as error:
        raise BadRequest(f"Not supported: {error}.") from error


def parse_includes(pairs: list[tuple[str, str]], known: Mapping[str, ResourceDefinition]) -> tuple[Include, ...]:
    """What shall come along. Raises BadRequest for references that the version does not have, and for too many."""
    found = tuple(_include(name, value, known) for name, value in pairs if name in INCLUDING)
    if len(found) > MAX_INCLUDES:
        raise BadRequest(f"More than {MAX_INCLUDES} includes.")
    return found


def _include(name: str, value: str, known: Mapping[str, ResourceDefinition]) -> Include:
    source, _, rest = value.partition(":")
    parameter, _, target = rest.partition(":")
    refers = known[source].parameters.get(parameter) if source in known else None
    if refers is None or refers.type != "reference":
        raise BadRequest("An include names a type, one of its parameters that is a reference, and perhaps a type.")
    return Include(source, parameter, target, name.startswith(_REVINCLUDE), name.endswith(ITERATE))
