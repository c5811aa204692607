"""From the outbox to the trail: by rows that exist, idempotent by event id, never above a mark."""

import json

from audit.models import Outbox, SecurityEvent

BATCH = 500


def ship() -> int:
    """Copies every waiting event into the audit database, then deletes it from the outbox. Counts them."""
    shipped = 0
    while oldest := _oldest():
        rows = Outbox.objects.filter(pk__in=oldest)
        copies = [SecurityEvent(**event) for row in rows.order_by("pk") for event in json.loads(row.events)]
        SecurityEvent.objects.bulk_create(copies, ignore_conflicts=True)  # in one transaction
        rows.delete()
        shipped += len(copies)
    return shipped


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
