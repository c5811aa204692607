"""Looking up what a caller may see of several types at once: each record by the view of its type, and no other."""

from collections.abc import Mapping
from typing import TypeAlias

from django.db.models import Exists, OuterRef, Q

from fhir.models import DateValue, Record
from fhir.search.conditions import condition, of_parameters
from fhir.search.query import Search
from fhir.store.lookup import Page, in_order, page_of
from fhir.store.visibility import Records, unrestricted_now, visible_of_types
from fhir.versions.version import Version
from smart.decisions.view import View

Views: TypeAlias = Mapping[str, View]


def search_types(version: Version, views: Views, search: Search) -> Page:
    """One page of the current versions that meet what is asked, whatever their type."""
    found = visible_of_types(_current(version), version, views)
    for criterion in search.criteria:
        found = found.filter(condition(criterion, *(f"{version.key}/{name}" for name in views)))
    return page_of(in_order(found, version, list(views), search.sort), search, has_total=search.has_total)


def find_system_history(version: Version, views: Views, search: Search) -> Page:
    """The versions of all resources, the newest first (FHIR http, history; HV-03)."""
    found = unrestricted_now(visible_of_types(Record.objects.filter(fhir_version=version.key), version, views))
    if search.since is not None:
        found = found.filter(moment__gte=search.since)
    return page_of(found.order_by("-moment", "-pk"), search, has_total=True)


def find_everything(version: Version, views: Views, matched: Views, search: Search) -> Page:
    """What is kept in these views, as far as it may be found as well (FO-04): of that time, and changed since then."""
    found = visible_of_types(_current(version), version, views)
    if any(matched[name] != view for name, view in views.items()):
        found = visible_of_types(found, version, {name: matched[name] for name in views})
    if search.since is not None:
        found = found.filter(moment__gte=search.since)
    if search.period != (None, None):
        found = found.filter(_of_period(version, *search.period))
    return page_of(found.order_by("pk"), search, has_total=True)


def _of_period(version: Version, start: int | None, end: int | None) -> Q:
    """Records whose date of care touches the time between both, and those that have none."""
    names = [f"{version.key}/{name}/{one.care_date}" for name, one in version.types.items() if one.care_date]
    dates = DateValue.objects.filter(of_parameters(names), record=OuterRef("pk"))
    inside = dates if start is None else dates.filter(high__gt=start)
    inside = inside if end is None else inside.filter(low__lt=end)
    return Q(Exists(inside)) | ~Q(Exists(dates))


def _current(version: Version) -> Records:
    return Record.objects.filter(fhir_version=version.key, is_current=True, is_deleted=False)
