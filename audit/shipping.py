"""From the outbox to the trail: by rows that exist, idempotent by event id, never above a mark."""

import json
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

from audit.models import Event, Outbox, SecurityEvent

BATCH = 500
_MEMBERS = frozenset(field.name for field in Event._meta.fields)
logger = logging.getLogger(__name__)


class NotTaken(Exception):
    """The trail has not taken every event: the outbox keeps them."""


def ship() -> int:
    """Copies every waiting event into the audit database, then deletes it from the outbox. Counts them.

    Raises NotTaken where the trail has another row of a number that its sequence has just given, as after a
    replication that copied rows alone. The next try gets later numbers.
    """
    shipped = 0
    while oldest := _oldest():
        rows = Outbox.objects.filter(pk__in=oldest)
        copies = [_copy(event) for row in rows.order_by("pk") for event in json.loads(row.events)]
        SecurityEvent.objects.bulk_create(copies, ignore_conflicts=True)  # in one transaction
        _require_all(copies)
        rows.delete()
        shipped += len(copies)
    return shipped


def _require_all(copies: Sequence[SecurityEvent]) -> None:
    """A conflict that was ignored is that of an event which is there already, or of another row's number."""
    ids = list({copy.event_id for copy in copies})  # of one row there may be more than a statement takes values
    slices = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
    there = sum(SecurityEvent.objects.filter(event_id__in=each).count() for each in slices)
    if there < len(ids):
        taken = f"the trail has taken {there} of {len(ids)} events, as other rows have the numbers of the others"
        raise NotTaken(f"{taken}: set the sequence of audit_securityevent.id above them")


def _copy(event: dict[str, Any]) -> SecurityEvent:
    """With the members that this release has columns for: one that a newer release wrote keeps no event from going."""
    for unknown in event.keys() - _MEMBERS:
        _warn_of(unknown)
    return SecurityEvent(**{name: value for name, value in event.items() if name in _MEMBERS})


@cache
def _warn_of(member: str) -> None:
    """Once in a process."""
    logger.warning("the trail has no column for %s: events are shipped without it; is the worker older?", member)


def _oldest() -> list[int]:
    """The rows that come next: of at most a batch of events, or one."""
    chosen: list[int] = []
    count = 0
    for pk, number in Outbox.objects.order_by("pk").values_list("pk", "number")[:BATCH]:
        count += number
        if chosen and count > BATCH:
            break
        chosen.append(pk)
    return chosen
