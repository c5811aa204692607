"""Looking up what a caller may see: his compartment in the database, finer restrictions on the content."""

import json
from itertools import islice

from fhir.access import Reach
from fhir.elements import ID
from fhir.models import Record, RecordQuerySet
from fhir.outcome import NothingHere
from fhir.search import Search, fits
from fhir.versions import Version


def find(version: Version, name: str, resource_id: str, reach: Reach) -> Record:
    """The one record of that id. Raises NothingHere for an unknown one and, no different, for one out of reach."""
    if not ID.fullmatch(resource_id):
        raise NothingHere
    record = _within(version, name, reach).filter(resource_id=resource_id).first()
    if record is None or not _allowed(record, reach):
        raise NothingHere
    return record


def page(version: Version, name: str, reach: Reach, search: Search) -> tuple[list[Record], int]:
    """The records of one page, and how many there are in all: counted after every restriction (SR-13)."""
    records = _within(version, name, reach).order_by("pk")
    if not (search.criteria or reach.alternatives):
        return list(records[search.offset : search.offset + search.count]), records.count()
    found = [record for record in records.iterator() if _allowed(record, reach, search)]
    return list(islice(found, search.offset, search.offset + search.count)), len(found)


def _within(version: Version, name: str, reach: Reach) -> RecordQuerySet:
    records = Record.objects.filter(fhir_version=version.key, type=name)
    return records if reach.patient is None else records.in_compartment_of(reach.patient)


def _allowed(record: Record, reach: Reach, search: Search | None = None) -> bool:
    """Whether one of the scopes' restrictions is met, and the search too."""
    criteria = search.criteria if search else ()
    if not (reach.alternatives or criteria):
        return True
    content = json.loads(record.content)
    granted = not reach.alternatives or any(fits(content, alternative) for alternative in reach.alternatives)
    return granted and fits(content, criteria)
