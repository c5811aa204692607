"""AuditEvent and Provenance as this server made them: found by a scope that opens them for everybody, by no other.

An app may store a Provenance as well. Those stand first, as any record does; the server's own follow.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import and_, or_

from django.db.models import QuerySet

from fhir.audit import models
from fhir.audit.models import Entry
from fhir.models import Record
from fhir.operation_outcome import NotFound
from fhir.search.conditions import condition
from fhir.search.query import Search
from fhir.store import lookup
from fhir.store.lookup import Page, in_order, total_of
from fhir.versions.version import Version
from smart.decisions.view import Everybody, View

TYPES = ("AuditEvent", "Provenance")


def find_record(version: Version, name: str, resource_id: str, view: View) -> Record:
    """The current version of a record, or one of the server's own. Raises NotFound and Gone."""
    try:
        return lookup.find_record(version, name, resource_id, view)
    except NotFound:
        entry = _entries(version, name, view).filter(resource_id=resource_id).first() if name in TYPES else None
        if entry is None:
            raise
        return _as_record(entry)


def search_records(version: Version, name: str, view: View, search: Search, matched: Mapping[str, View]) -> Page:
    """One page of what is stored, and after it of the server's own; chains find nothing of these."""
    if name not in TYPES:
        return lookup.search_records(version, name, view, search, matched)
    stored = lookup.search_records(version, name, view, replace(search, has_total=True, counts_all=True), matched)
    before, left = stored.total or 0, search.count - len(stored.records)
    found = _found(version, name, view, search)
    offset = max(0, search.offset - before)
    entries = list(in_order(found, version, [name], search.sort, models)[offset : offset + left + 1])
    own = total_of(found, search) if search.has_total else None
    total = None if own is None else before + own
    records = [*stored.records, *map(_as_record, entries[:left])]
    return Page(records, total, bool(search.count) and (stored.has_more or len(entries) > left))


def _found(version: Version, name: str, view: View, search: Search) -> QuerySet[Entry]:
    found = _entries(version, name, view)
    for criterion in search.criteria:
        found = found.filter(condition(criterion, f"{version.key}/{name}", tables=models))
    return found.none() if search.chained else found


def _entries(version: Version, name: str, view: View) -> QuerySet[Entry]:
    """Those that the view opens: whose they are nobody asks, so that no compartment holds them."""
    open_to_all = [alternative.where for alternative in view if isinstance(alternative.who, Everybody)]
    if not open_to_all:
        return Entry.objects.none()
    found = Entry.objects.filter(fhir_version=version.key, type=name)
    if () in open_to_all:
        return found
    of = f"{version.key}/{name}"
    each = (reduce(and_, (condition(criterion, of, tables=models) for criterion in where)) for where in open_to_all)
    return found.filter(reduce(or_, each))


def _as_record(entry: Entry) -> Record:
    """As everything is shown; it has no key, for it lies in no table of the records."""
    return Record(
        fhir_version=entry.fhir_version,
        type=entry.type,
        resource_id=entry.resource_id,
        moment=entry.moment,
        content=entry.content,
    )
