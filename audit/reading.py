"""What the trail says, with what still waits in the outbox."""

from django.db.models import Q

from audit.models import Event, OutboxEvent, SecurityEvent


def newest_events(*wanted: Q, at_most: int) -> list[Event]:
    """The newest events that one of these fits, oldest first; each should name a column that has an index."""
    found: dict[str, Event] = {}
    for each in wanted:
        shipped = SecurityEvent.objects.using("audit").filter(each).order_by("-at", "-pk")[:at_most]
        waiting = OutboxEvent.objects.filter(each).order_by("-at", "-pk")[:at_most]
        found |= {event.event_id: event for event in (*shipped, *waiting)}
    return sorted(found.values(), key=lambda event: (event.at, event.pk))[-at_most:]
