"""Looking up what a caller may see: his compartment in the database, finer restrictions on the content."""

import json

from fhir.models import Record, RecordQuerySet
from fhir.outcome import NotFound
from fhir.search.query import Search, is_match
from fhir.token.permissions import Permission, Permissions
from fhir.versions import Version
from smart.fhir.id import is_fhir_id


def find(version: Version, name: str, resource_id: str, reach: Permissions) -> Record:
    """The one record of that id. Raises NothingHere for an unknown one and, no different, for one out of reach."""
    if not is_fhir_id(resource_id):
        raise NotFound
    for share in reach.shares:
        record = _within(version, name, share).filter(resource_id=resource_id).first()
        if record is not None and _allowed(record, share):
            return record
    raise NotFound


def page(version: Version, name: str, reach: Permissions, search: Search) -> tuple[list[Record], int]:
    """The records of one page, and how many there are in all: counted after every restriction (SR-13)."""
    first = reach.shares[0]
    if len(reach.shares) == 1 and not (search.criteria or first.alternatives):
        records = _within(version, name, first).order_by("pk")
        return list(records[search.offset : search.offset + search.count]), records.count()
    found = {
        record.pk: record
        for share in reach.shares
        for record in _within(version, name, share).iterator()
        if _allowed(record, share, search)
    }
    shown = [found[key] for key in sorted(found)]
    return shown[search.offset : search.offset + search.count], len(shown)


def _within(version: Version, name: str, share: Permission) -> RecordQuerySet:
    records = Record.objects.filter(fhir_version=version.key, type=name)
    if share.patients is None:
        return records
    of_patients = records.in_compartments_of(share.patients)
    if share.own_record is None or share.own_record[0] != name:
        return of_patients
    return of_patients | records.filter(resource_id=share.own_record[1])


def _allowed(record: Record, share: Permission, search: Search | None = None) -> bool:
    """Whether one of the scopes' restrictions is met, and the search too."""
    criteria = search.criteria if search else ()
    if not (share.alternatives or criteria):
        return True
    content = json.loads(record.content)
    granted = not share.alternatives or any(is_match(content, alternative) for alternative in share.alternatives)
    return granted and is_match(content, criteria)
