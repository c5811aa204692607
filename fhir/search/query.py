"""A search as it was asked: parameters, paging, and what of it this version can evaluate (FHIR search)."""

import re
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlencode

from fhir.operation_outcome import BadRequest
from fhir.versions.version import ResourceType
from smart.http.parameters import MalformedParameters, form_pairs
from smart.search.criteria import Criterion, UnsupportedCriterion, criterion, parameter_name

Pairs: TypeAlias = list[tuple[str, str]]

MAX_VALUES = 200
DEFAULT_COUNT = 50
MAX_COUNT = 200
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_ESCAPE = re.compile(r"\\([\\,$|])")
_NUMBER = re.compile(r"[0-9]{1,9}")
_PAGING = ("_count", "_offset")
# understood elsewhere or without effect on JSON, so not "unknown" when handling=strict is preferred
_SILENT = ("_format", "_pretty")
_SUMMARIES = ("true", "text", "data", "count", "false")


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, and which page of it; with `only_total` no page at all (FHIR search, summary)."""

    criteria: tuple[Criterion, ...] = ()
    used: Pairs = field(default_factory=list)
    count: int = DEFAULT_COUNT
    offset: int = 0
    only_total: bool = False

    def link(self, offset: int) -> str:
        """The query of the page at that offset: used parameters only, so no token can stand in it (SR-15)."""
        if self.only_total:
            return urlencode([*self.used, ("_summary", "count")])
        return urlencode([*self.used, ("_count", str(self.count)), ("_offset", str(offset))])


def parse_parameters(raw: bytes) -> Pairs:
    """Names and values of a query string or form body. Raises BadRequest."""
    try:
        return list(form_pairs(raw))
    except MalformedParameters as error:
        raise BadRequest("The parameters are not form-encoded UTF-8, or too many, or hold a NUL character.") from error


def parse_search(pairs: Pairs, resource_type: ResourceType, base: str, *, strict: bool) -> Search:
    """The search that the parameters ask for; unknown ones are ignored unless the client prefers strict handling.

    A parameter without a value asks for nothing (FHIR search, parameters).
    """
    pairs = [(name, value) for name, value in pairs if value]
    search: Pairs = [(name, value) for name, value in pairs if parameter_name(name) in resource_type.parameters]
    if strict and (unknown := _unknown(pairs, search)):
        raise BadRequest(f"Unknown search parameters: {len(unknown)}.")
    if chained := [name for name, _ in pairs if "." in name or name.startswith("_has:")]:
        raise BadRequest(f"Chained search parameters are not supported: {len(chained)}.")
    try:
        criteria = tuple(criterion(resource_type, name, _split(value), base) for name, value in search)
    except UnsupportedCriterion as error:
        raise BadRequest(f"Not supported: {error}.") from error
    if sum(len(one.values) for one in criteria) > MAX_VALUES:
        raise BadRequest(f"More than {MAX_VALUES} values.")
    if _summary(pairs, strict=strict) == "count":
        return Search(criteria, search, count=0, only_total=True)
    count = min(_number(pairs, "_count", DEFAULT_COUNT), MAX_COUNT)
    return Search(criteria, search, count, _number(pairs, "_offset", 0))


def _unknown(pairs: Pairs, search: Pairs) -> set[str]:
    return {name for name, _ in pairs} - {name for name, _ in search} - {*_PAGING, *_SILENT, "_summary"}


def _summary(pairs: Pairs, *, strict: bool) -> str:
    """Which summary is asked for; a server may answer with more than a summary (FHIR search, summary)."""
    sent = [value for name, value in pairs if name == "_summary"]
    if len(sent) > 1 or not set(sent) <= set(_SUMMARIES):
        raise BadRequest(f"_summary takes one of {', '.join(_SUMMARIES)}.")
    if strict and not set(sent) <= {"count", "false"}:
        raise BadRequest("Only _summary=count is supported.")
    return "".join(sent)


def _split(value: str) -> list[str]:
    return [_ESCAPE.sub(r"\1", part) for part in _UNESCAPED_COMMA.split(value)]


def _number(pairs: Pairs, name: str, default: int) -> int:
    sent = [value for key, value in pairs if key == name]
    if not sent:
        return default
    if len(sent) > 1 or not _NUMBER.fullmatch(sent[0]):
        raise BadRequest(f"{name} takes one whole number.")
    return int(sent[0])
