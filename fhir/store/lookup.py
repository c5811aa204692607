"""Looking up what a caller may see: the compartment in the database, finer restrictions on the content."""

import json
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import groupby
from operator import or_

from fhir.models import Record, RecordQuerySet
from fhir.operation_outcome import NotFound
from fhir.search.query import Search
from fhir.versions.version import Version
from smart.decisions.view import Compartments, Criteria, OwnRecord, View, Who
from smart.fhir.id import is_fhir_id
from smart.search.criteria import is_match


def find_record(version: Version, name: str, resource_id: str, view: View) -> Record:
    """The one record of that id. Raises NotFound for an unknown one and, no different, for one out of reach."""
    if not is_fhir_id(resource_id):
        raise NotFound
    for records, where in _parts(version, name, view):
        record = records.filter(resource_id=resource_id).first()
        if record is not None and _meets(record, where):
            return record
    raise NotFound


def search_records(version: Version, name: str, view: View, search: Search) -> tuple[list[Record], int]:
    """The records of one page, and how many there are in all: counted after every restriction (SR-13)."""
    parts = list(_parts(version, name, view))
    records, where = parts[0]
    page = slice(search.offset, search.offset + search.count)
    if len(parts) == 1 and not (search.criteria or where):
        return list(records.order_by("pk")[page]), records.count()
    found = {
        record.pk: record
        for records, where in parts
        for record in records.iterator()
        if _meets(record, (*where, *search.criteria))
    }
    return [found[key] for key in sorted(found)][page], len(found)


def _parts(version: Version, name: str, view: View) -> Iterator[tuple[RecordQuerySet, Criteria]]:
    """The alternatives, those of the same criteria as one query."""
    records = Record.objects.filter(fhir_version=version.key, type=name)
    for where, alternatives in groupby(sorted(view, key=lambda one: repr(one.where)), key=lambda one: one.where):
        yield reduce(or_, _records_of(records, [alternative.who for alternative in alternatives])), where


def _records_of(records: RecordQuerySet, reached: Iterable[Who]) -> Iterator[RecordQuerySet]:
    for who in reached:
        match who:
            case Compartments(patients):
                yield records.in_compartments_of(patients)
            case OwnRecord(_, own_id):
                yield records.filter(resource_id=own_id)
            case _:
                yield records


def _meets(record: Record, criteria: Criteria) -> bool:
    return not criteria or is_match(json.loads(record.content), criteria)
