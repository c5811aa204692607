"""What the audit database holds, read out in order and in bounded memory; and cutting off what is old."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connections
from django.db.models import Min

from fhir import clock
from fhir.audit.append_only import lifted
from fhir.audit.models import Entry, WaitingEvent
from smart.time_units import MINUTE, to_datetime

PART = 500
_OLD = "SELECT id FROM fhir_audit_entry WHERE moment < %s"


def resources(version: str, name: str, since: datetime | None = None, until: datetime | None = None) -> Iterator[str]:
    """The JSON of each record of that time, in the order in which they were stored; at most a part is in memory."""
    found = Entry.objects.filter(fhir_version=version, type=name).order_by("pk")
    if since is not None:
        found = found.filter(moment__gte=since)
    if until is not None:
        found = found.filter(moment__lt=until)
    last = 0
    while part := list(found.filter(pk__gt=last).values_list("pk", "content")[:PART]):
        yield from (content for _, content in part)
        last = part[-1][0]


def complete_until() -> datetime:
    """No record of before that moment comes any more: what waits, or is just being written, is later.

    But for what no database knows: refusals of strangers in a process that cannot reach it (fhir/audit/strangers.py).
    Rows are stored in another order than things happened, so that an export which begins there misses none of them.
    """
    oldest = WaitingEvent.objects.aggregate(at=Min("at"))["at"]
    written = clock.now() - MINUTE  # no request takes longer
    return to_datetime(written if oldest is None else min(oldest, written))


def cut(before: datetime) -> int:
    """Deletes what is older, in one transaction, and counts it. Only the owner of the tables may (SD-10)."""
    with lifted(), connections["audit"].cursor() as cursor:
        moment = connections["audit"].ops.adapt_datetimefield_value(before)
        cursor.execute(f"DELETE FROM fhir_audit_value WHERE record_id IN ({_OLD})", [moment])  # noqa: S608  # no value
        cursor.execute("DELETE FROM fhir_audit_entry WHERE moment < %s", [moment])
        return int(cursor.rowcount)
