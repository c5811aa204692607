"""Looking up what a caller may see. Every function wants the view, and answers with what lies in it and no more."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from django.db.models import F, Min, Model, OuterRef, Q, QuerySet, Subquery

from fhir import models
from fhir.models import Record, ReferenceValue
from fhir.operation_outcome import Gone, NotFound
from fhir.search.conditions import of_parameters
from fhir.search.links import ChainedCriterion
from fhir.search.query import Search, SortKey
from fhir.store.visibility import Records, unrestricted_now, visible
from fhir.versions.version import Version
from smart.decisions.view import View
from smart.fhir.id import is_fhir_id
from smart.search.criteria import Criterion

_SORTED_BY = {
    "date": ("DateValue", "low"),
    "string": ("StringValue", "start"),
    "token": ("TokenValue", "code"),
}
_LARGEST = 2**31 - 1
MAX_COUNTED = 1000
Row = TypeVar("Row", bound=Model)


class Page(NamedTuple):
    """Some of what was found, and how many there are in all, where that is told: after every restriction (SR-13)."""

    records: list[Record]
    total: int | None
    has_more: bool


def find_record(version: Version, name: str, resource_id: str, view: View) -> Record:
    """The current version. Raises NotFound for an unknown id and, no different, for one out of reach; Gone."""
    return _only(visible(_versions(version, name, resource_id).filter(is_current=True), version, name, view))


def find_last(version: Version, name: str, resource_id: str, view: View) -> Record:
    """The current version, also where it is a deletion. Raises NotFound."""
    current = _versions(version, name, resource_id).filter(is_current=True)
    record = visible(current, version, name, view).first()
    if record is None:
        raise NotFound
    return record


def find_version(version: Version, name: str, resource_id: str, number: str, view: View) -> Record:
    """That version, judged by what it held (HV-01). Raises NotFound, and Gone for one that is a deletion."""
    if not number.isdecimal() or int(number) > _LARGEST or str(int(number)) != number:
        raise NotFound
    versions = _versions(version, name, resource_id).filter(number=number)
    return _only(unrestricted_now(visible(versions, version, name, view)))


def search_records(
    version: Version, name: str, view: View, search: Search, matched: Mapping[str, View] = MappingProxyType({})
) -> Page:
    """One page of the current versions that are searched for; chains look among the records of `matched` alone."""
    found = Record.objects.filter(fhir_version=version.key, type=name, is_current=True, is_deleted=False)
    found = visible(found, version, name, view, search.criteria)
    for chained in search.chained:
        found = found.filter(_chained(version, name, chained, matched.get(chained.chain.type, ())))
    return page_of(in_order(found, version, [name], search.sort), search, has_total=search.has_total)


def _chained(version: Version, name: str, chained: ChainedCriterion, view: View) -> Q:
    """Records that refer to one of the view which meets the criterion, or that such a one refers to (SR-08)."""
    chain, wanted = chained
    others = Record.objects.filter(fhir_version=version.key, type=chain.type, is_current=True, is_deleted=False)
    others = visible(others, version, chain.type, view, [wanted])
    if chain.is_reverse:
        links = ReferenceValue.objects.filter(parameter=f"{version.key}/{chain.type}/{chain.reference}", type=name)
        return Q(resource_id__in=links.filter(record__in=others.values("pk")).values("target"))
    links = ReferenceValue.objects.filter(parameter=f"{version.key}/{name}/{chain.reference}", type=chain.type)
    return Q(pk__in=links.filter(target__in=others.values("resource_id")).values("record"))


def match_records(version: Version, name: str, view: View, criteria: tuple[Criterion, ...]) -> list[Record]:
    """Up to two of the current versions that meet a condition: none, the one, or too many."""
    return search_records(version, name, view, Search(criteria, count=2, has_total=False)).records


def find_history(version: Version, name: str, resource_id: str, view: View, search: Search) -> Page:
    """The versions of one resource, or of all of a type where no id is given, the newest first (HV-02, HV-03).

    Raises NotFound where nothing of a resource may be seen.
    """
    found = unrestricted_now(visible(_versions(version, name, resource_id), version, name, view))
    if search.since is not None:
        found = found.filter(moment__gte=search.since)
    page = page_of(found.order_by("-moment", "-pk"), search, has_total=True)
    if resource_id and page.total == 0:
        raise NotFound
    return page


def _versions(version: Version, name: str, resource_id: str) -> Records:
    found = Record.objects.filter(fhir_version=version.key, type=name)
    if not resource_id:
        return found
    if not is_fhir_id(resource_id):
        raise NotFound
    return found.filter(resource_id=resource_id)


def _only(found: Records) -> Record:
    record = found.first()
    if record is None:
        raise NotFound
    if record.is_deleted:
        raise Gone
    return record


def in_order(
    found: QuerySet[Row], version: Version, names: Sequence[str], sort: tuple[SortKey, ...], tables: Any = models
) -> QuerySet[Row]:
    """By the least value of each parameter, what has none last; then by when it was stored, so that pages hold."""
    order = []
    for place, one in enumerate(sort):
        if one.parameter.name == "_lastUpdated":
            order.append(F("moment").desc() if one.is_descending else F("moment").asc())
            continue
        table, column = _SORTED_BY[one.parameter.type]
        values = (
            getattr(tables, table)
            ._default_manager.filter(
                of_parameters([f"{version.key}/{name}/{one.parameter.name}" for name in names]), record=OuterRef("pk")
            )
            .order_by()
        )
        least = values.values("record").annotate(least=Min(column)).values("least")
        found = found.annotate(**{f"sort{place}": Subquery(least)})
        by = F(f"sort{place}")
        order.append(by.desc(nulls_last=True) if one.is_descending else by.asc(nulls_last=True))
    return found.order_by(*order, "pk")


def page_of(found: Records, search: Search, *, has_total: bool) -> Page:
    """The page that is asked for, and the number of all if it is wanted."""
    records = list(found[search.offset : search.offset + search.count + 1]) if search.count else []
    total = None
    if has_total:
        is_whole = search.count and not search.offset and len(records) <= search.count
        total = len(records) if is_whole else total_of(found, search)
    return Page(records[: search.count], total, len(records) > search.count)


def total_of(found: QuerySet[Row], search: Search) -> int | None:
    """How many there are; None where there are more than are counted unasked (FHIR search, _total)."""
    found = found.order_by()
    if search.counts_all:
        return found.count()
    counted = found[: MAX_COUNTED + 1].count()
    return counted if counted <= MAX_COUNTED else None
