"""A search as it was asked: parameters, order, page, and what of it this version can evaluate (FHIR search)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode

from fhir.operation_outcome import BadRequest
from fhir.search.links import INCLUDING, ChainedCriterion, Include, parse_chained, parse_includes
from fhir.search.pages import page_mark, page_offset, page_owner
from fhir.search.shape import Shape, parse_shape
from fhir.versions.version import ResourceType, Version
from smart.fhir.definitions import SearchParameter, definitions
from smart.http.parameters import MalformedParameters, form_pairs
from smart.search.criteria import Criterion, UnsupportedCriterion, criterion, parameter_name
from smart.search.dates import date_interval

Pairs: TypeAlias = list[tuple[str, str]]

MAX_VALUES = 200
MAX_SORT = 3
DEFAULT_COUNT = 50
MAX_COUNT = 200
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_ESCAPE = re.compile(r"\\([\\,$|])")
_NUMBER = re.compile(r"[0-9]{1,9}")
_PAGE = "_page"
_SHAPING = ("_elements", "_summary", "_total", "_sort", "_type", *INCLUDING)
# understood elsewhere or without effect on JSON, so not "unknown" when handling=strict is preferred
_SILENT = ("_format", "_pretty", "_count", _PAGE, "_since", *_SHAPING)
_TOTALS = ("accurate", "estimate", "none")
_SORTABLE = ("date", "string", "token")


@dataclass(frozen=True, slots=True)
class SortKey:
    parameter: SearchParameter
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, in which order, and which page of it. `owner` says whose its further pages are."""

    criteria: tuple[Criterion, ...] = ()
    chained: tuple[ChainedCriterion, ...] = ()
    includes: tuple[Include, ...] = ()
    used: Pairs = field(default_factory=list)
    count: int = DEFAULT_COUNT
    offset: int = 0
    owner: str = ""
    has_total: bool = True
    counts_all: bool = False
    sort: tuple[SortKey, ...] = ()
    shape: Shape = field(default_factory=Shape)
    since: datetime | None = None
    period: tuple[int | None, int | None] = (None, None)

    def link(self, offset: int) -> str:
        """The query of the page at that offset: used parameters only, so no token can stand in it (SR-15)."""
        page = [(_PAGE, page_mark(offset, self.owner))] if offset else []
        count = [] if self.shape.only_total else [("_count", str(self.count))]
        return urlencode([*self.used, *count, *page])


def parse_parameters(raw: bytes) -> Pairs:
    """Names and values of a query string or form body. Raises BadRequest."""
    try:
        return list(form_pairs(raw))
    except MalformedParameters as error:
        raise BadRequest("The parameters are not form-encoded UTF-8, or too many, or hold a NUL character.") from error


def parse_search(
    pairs: Pairs,
    resource_type: ResourceType,
    version: Version,
    base: str,
    claims: Mapping[str, Any],
    *,
    strict: bool,
    below: str = "",
) -> Search:
    """The search that the parameters ask for; unknown ones are ignored unless the client prefers strict handling.

    A parameter without a value asks for nothing (FHIR search, parameters). `below`: what its pages are of.
    """
    pairs = [(name, value) for name, value in pairs if value]
    chains = [(name, value) for name, value in pairs if "." in name or name.startswith("_has:")]
    plain = [pair for pair in pairs if pair not in chains]
    search: Pairs = [(name, value) for name, value in plain if parameter_name(name) in resource_type.parameters]
    if strict and (unknown := _unknown(plain, search)):
        raise BadRequest(f"Unknown search parameters: {len(unknown)}.")
    known = definitions(version.key)
    chained = [parse_chained(name, _split(value), resource_type.name, known, base) for name, value in chains]
    criteria = parse_criteria(search, resource_type, base, [one.criterion for one in chained])
    used = [*search, *chains, *((name, value) for name, value in pairs if name in _SHAPING)]
    shape = parse_shape(pairs, strict=strict)
    owner = page_owner(claims, below or resource_type.name, urlencode(used))
    return Search(
        criteria,
        tuple(chained),
        parse_includes(pairs, known),
        used,
        count=_count(pairs, shape),
        offset=page_offset(only(pairs, _PAGE), owner),
        owner=owner,
        has_total=_total(pairs) != "none",
        counts_all=_total(pairs) == "accurate" or not _count(pairs, shape),  # who wants no records wants their number
        sort=_sort(only(pairs, "_sort"), resource_type),
        shape=shape,
    )


def parse_criteria(
    search: Pairs, resource_type: ResourceType, base: str, others: Sequence[Criterion] = ()
) -> tuple[Criterion, ...]:
    """The criteria of these parameters. Raises BadRequest, also for too many values together with those of others."""
    try:
        criteria = tuple(criterion(resource_type, name, _split(value), base) for name, value in search)
    except UnsupportedCriterion as error:
        raise BadRequest(f"Not supported: {error}.") from error
    if sum(len(one.values) for one in (*criteria, *others)) > MAX_VALUES:
        raise BadRequest(f"More than {MAX_VALUES} values.")
    return criteria


def parse_condition(text: str, resource_type: ResourceType, base: str) -> tuple[Criterion, ...]:
    """The criteria of a conditional write. Raises BadRequest for what is no criterion, and for none at all (WR-13)."""
    pairs = [(name, value) for name, value in parse_parameters(text.encode()) if value]
    if not pairs or any(parameter_name(name) not in resource_type.parameters for name, _ in pairs):
        raise BadRequest("A condition is made of search parameters of this type, one at least.")
    return parse_criteria(pairs, resource_type, base)


def parse_history(pairs: Pairs, claims: Mapping[str, Any], *of: str) -> Search:
    """Which page of a history, and since when (FHIR http, history). Raises BadRequest."""
    if any(name == "_at" and value for name, value in pairs):
        raise BadRequest("_at is not supported.")
    return parse_pages(pairs, ("_since", "_type"), claims, *of)


def parse_pages(pairs: Pairs, carried: Sequence[str], claims: Mapping[str, Any], *of: str) -> Search:
    """Which page of what is not searched by criteria, and since when; links repeat what is carried."""
    used = [(name, value) for name, value in pairs if name in carried and value]
    owner = page_owner(claims, *of, urlencode(used))
    (since, _) = interval(pairs, "_since") or (None, None)
    offset = page_offset(only(pairs, _PAGE), owner)
    count = _count(pairs, Shape())
    return Search(used=used, count=count, offset=offset, owner=owner, counts_all=not count, since=since)


def require_type(pairs: Pairs, name: str) -> None:
    """Of one type, `_type` can name only that: another one would be asked for in vain. Raises BadRequest."""
    if any(set(value.split(",")) != {name} for key, value in pairs if key == "_type" and value):
        raise BadRequest("_type names other types than the URL. To ask for several, ask at the base.")


def interval(pairs: Pairs, name: str) -> tuple[datetime, datetime] | None:
    """From the first to after the last moment that a parameter means, None where it is not there."""
    sent = only(pairs, name)
    try:
        return date_interval(sent) if sent else None
    except ValueError:
        raise BadRequest(f"{name} takes a date or an instant.") from None


def only(pairs: Pairs, name: str) -> str:
    """The value of a parameter that may be there once, "" for none. Raises BadRequest."""
    sent = [value for key, value in pairs if key == name]
    if len(sent) > 1:
        raise BadRequest(f"{name} stands there more than once.")
    return sent[0] if sent else ""


def _unknown(pairs: Pairs, search: Pairs) -> set[str]:
    return {name for name, _ in pairs} - {name for name, _ in search} - set(_SILENT)


def _total(pairs: Pairs) -> str:
    total = only(pairs, "_total")
    if total and total not in _TOTALS:
        raise BadRequest(f"_total takes one of {', '.join(_TOTALS)}.")
    return total


def _sort(text: str, resource_type: ResourceType) -> tuple[SortKey, ...]:
    names = [name for name in text.split(",") if name]
    if len(names) > MAX_SORT:
        raise BadRequest(f"_sort takes {MAX_SORT} parameters.")
    return tuple(_sort_key(name, resource_type) for name in names)


def _sort_key(name: str, resource_type: ResourceType) -> SortKey:
    parameter = resource_type.parameters.get(name.removeprefix("-"))
    if parameter is None or parameter.type not in _SORTABLE:
        raise BadRequest("_sort takes parameters of this type that are dates, strings or tokens.")
    return SortKey(parameter, name.startswith("-"))


def _split(value: str) -> list[str]:
    return [_ESCAPE.sub(r"\1", part) for part in _UNESCAPED_COMMA.split(value)]


def _count(pairs: Iterable[tuple[str, str]], shape: Shape) -> int:
    sent = only(list(pairs), "_count")
    if sent and not _NUMBER.fullmatch(sent):
        raise BadRequest("_count takes one whole number.")
    return 0 if shape.only_total else min(int(sent or DEFAULT_COUNT), MAX_COUNT)
