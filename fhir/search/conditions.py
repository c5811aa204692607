"""A criterion as a condition of the database, answered by an index; smart/search/criteria.py says what it means."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import Exact, GreaterThan

from fhir import models
from smart.fhir.elements import reference_target
from smart.search import dates
from smart.search.criteria import Criterion, fold
from smart.search.values import IDENTIFIER, START, key, microseconds

_NOTHING = Q(pk__in=[])
_TABLES = {
    "token": "TokenValue",
    "string": "StringValue",
    "date": "DateValue",
    "reference": "ReferenceValue",
}


def condition(criterion: Criterion, *of: str, tables: Any = models, among: Any = None) -> Q:
    """Records that meet it; `of` are their FHIR version and type, such as r4/Observation, `tables` has their values.

    `among` are keys of records outside of which nobody needs to look.
    """
    parameter, modifier = criterion.parameter, criterion.modifier
    parameter_type, ending = parameter.type, ""
    if modifier == "identifier":
        parameter_type, ending = "token", IDENTIFIER
    table = getattr(tables, _TABLES[parameter_type])
    values = table.objects.filter(of_parameters([f"{each}/{parameter.name}{ending}" for each in of]))
    if modifier == "missing":
        any_value = Exists(values.filter(record=OuterRef("pk")))
        return ~Q(any_value) if criterion.values == ("true",) else Q(any_value)
    found = values.filter(reduce(or_, _wanted(parameter_type, criterion), _NOTHING))
    if modifier == "not":
        return ~Q(Exists(found.filter(record=OuterRef("pk"))))
    if among is not None:
        found = found.filter(record__in=among)
    return Q(pk__in=found.values("record"))


def of_parameters(names: Sequence[str]) -> Q:
    """Values for these, such as r4/Observation/code."""
    return Q(parameter=names[0]) if len(names) == 1 else Q(parameter__in=names)


def _wanted(parameter_type: str, criterion: Criterion) -> Iterable[Q]:
    match parameter_type:
        case "token":
            return map(_token, criterion.values)
        case "string":
            return (_string(value, criterion.modifier) for value in criterion.values)
        case "date":
            return map(_date, criterion.values)
        case _:
            return (_reference(value, criterion) for value in criterion.values)


def _token(value: str) -> Q:
    """`code`, `|code`, `system|` and `system|code`."""
    system, bar, code = value.rpartition("|")
    if not bar:
        return Q(code=key(code))
    if code or not system:
        return Q(system=key(system), code=key(code))
    return Q(system=key(system))


def _string(value: str, modifier: str) -> Q:
    if modifier == "exact":
        return Q(start__isnull=False, exact=key(value))
    wanted = fold(value)
    if not wanted:
        return _NOTHING
    if modifier == "contains":
        return Q(GreaterThan(StrIndex("folded", Value(wanted)), 0))
    start = wanted.encode()[:START]
    begins = Q(start__gte=start, start__lt=start + b"\xff")
    return begins if len(wanted.encode()) <= START else begins & Q(Exact(StrIndex("folded", Value(wanted)), 1))


def _date(value: str) -> Q:
    prefix, (start, end) = dates.search_date(value)
    low, high = microseconds(start), microseconds(end)
    inside = Q(low__gte=low, high__lte=high)
    by_prefix: dict[str, Callable[[], Q]] = {
        "eq": lambda: inside,
        "ne": lambda: Q(low__lt=low) | Q(high__gt=high),
        "gt": lambda: Q(high__gt=high),
        "lt": lambda: Q(low__lt=low),
        "ge": lambda: Q(high__gt=high) | inside,
        "le": lambda: Q(low__lt=low) | inside,
        "sa": lambda: Q(low__gte=high),
        "eb": lambda: Q(high__lte=low),
        "ap": lambda: Q(low__lt=high, high__gt=low),
    }
    return by_prefix[prefix]()


def _reference(value: str, criterion: Criterion) -> Q:
    if not value:
        return _NOTHING
    target = reference_target(value, criterion.base)
    wanted = Q(type=target[0], target=target[1]) if target else Q(target=value)
    return wanted & Q(type=criterion.modifier) if criterion.modifier else wanted
