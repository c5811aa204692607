"""Looking up what a caller may see: the compartment in the database, finer restrictions on the content."""

import json

from fhir.models import Record, RecordQuerySet
from fhir.operation_outcome import NotFound
from fhir.search.query import Search
from fhir.versions.version import Version
from smart.decisions.permissions import Permission, Permissions
from smart.fhir.id import is_fhir_id
from smart.search.criteria import is_match


def find_record(version: Version, name: str, resource_id: str, permissions: Permissions) -> Record:
    """The one record of that id. Raises NotFound for an unknown one and, no different, for one out of reach."""
    if not is_fhir_id(resource_id):
        raise NotFound
    for permission in permissions:
        record = _reachable(version, name, permission).filter(resource_id=resource_id).first()
        if record is not None and _is_visible(record, permission):
            return record
    raise NotFound


def search_records(version: Version, name: str, permissions: Permissions, search: Search) -> tuple[list[Record], int]:
    """The records of one page, and how many there are in all: counted after every restriction (SR-13)."""
    first = permissions[0]
    page = slice(search.offset, search.offset + search.count)
    if len(permissions) == 1 and not (search.criteria or first.alternatives):
        records = _reachable(version, name, first).order_by("pk")
        return list(records[page]), records.count()
    found = {
        record.pk: record
        for permission in permissions
        for record in _reachable(version, name, permission).iterator()
        if _is_visible(record, permission, search)
    }
    return [found[key] for key in sorted(found)][page], len(found)


def _reachable(version: Version, name: str, permission: Permission) -> RecordQuerySet:
    records = Record.objects.filter(fhir_version=version.key, type=name)
    if permission.patients is None:
        return records
    of_patients = records.in_compartments_of(permission.patients)
    if permission.own_record is None or permission.own_record[0] != name:
        return of_patients
    return of_patients | records.filter(resource_id=permission.own_record[1])


def _is_visible(record: Record, permission: Permission, search: Search | None = None) -> bool:
    """Whether one of the scopes' restrictions is met, and the search too."""
    criteria = search.criteria if search else ()
    if not (permission.alternatives or criteria):
        return True
    content = json.loads(record.content)
    allowed = not permission.alternatives or any(is_match(content, each) for each in permission.alternatives)
    return allowed and is_match(content, criteria)
