"""Making versions of resources: numbered, dated, indexed; one statement changes what is current (FHIR http)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from fhir.models import Membership, Record, WriteLock
from fhir.store.index import write_index
from fhir.store.labels import is_restricted
from smart.fhir import json_text

_BATCH = 500


def with_version(text: str, number: int, moment: datetime) -> str:
    """The resource with that number and moment in its meta, everything else as it was written."""
    meta = json_text.loads(json_text.members(text).get("meta", "{}"))
    own = {"versionId": str(number), "lastUpdated": moment.isoformat(timespec="milliseconds")}
    return json_text.with_members(text, {"meta": {**own, **{name: meta[name] for name in meta if name not in own}}})


def successor(before: Record, text: str, moment: datetime, *, is_deleted: bool = False) -> Record:
    """The next version of a resource. A deletion keeps the content that it ends."""
    number = before.number + 1
    return Record(
        fhir_version=before.fhir_version,
        type=before.type,
        resource_id=before.resource_id,
        number=number,
        moment=moment,
        is_deleted=is_deleted,
        is_restricted=is_restricted(before.fhir_version, text),
        content=text if is_deleted else with_version(text, number, moment),
    )


def first_version(fhir_version: str, name: str, resource_id: str, text: str, moment: datetime) -> Record:
    """The first version of a new resource."""
    return Record(
        fhir_version=fhir_version,
        type=name,
        resource_id=resource_id,
        moment=moment,
        is_restricted=is_restricted(fhir_version, text),
        content=with_version(text, 1, moment),
    )


def hold_type(fhir_version: str, name: str) -> None:
    """Until the transaction ends nobody else looks whether there is such a resource of this type, to create it."""
    lock, _ = WriteLock.objects.get_or_create(name=f"{fhir_version}/{name}")
    WriteLock.objects.select_for_update().get(pk=lock.pk)


def add_versions(records: Sequence[Record], replaced: Iterable[Record] = ()) -> bool:
    """Makes these current in place of those, within a transaction of the caller.

    Whether it could: not where one of those is no longer current, because somebody else was first.
    """
    numbers = [record.pk for record in replaced]
    for start in range(0, len(numbers), _BATCH):
        batch = numbers[start : start + _BATCH]
        if Record.objects.filter(Q(is_current=True), pk__in=batch).update(is_current=False) != len(batch):
            return False
        Membership.objects.filter(record__in=batch).update(is_here=False)
    Record.objects.bulk_create(records, batch_size=_BATCH)
    write_index(records)
    return True
