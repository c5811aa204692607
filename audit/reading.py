"""What the trail says, with what still waits in the outbox."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from audit.models import Event, OutboxEvent, SecurityEvent


def newest_events(*wanted: Q, at_most: int) -> list[Event]:
    """The newest events that one of these fits, oldest first; each should name a column that the trail has an index of.

    What waits has none and is taken apart as a whole: so it is read once, and first, as what is shipped meanwhile is in
    the trail.
    """
    waiting = OutboxEvent.objects.filter(reduce(or_, wanted)).order_by("-at", "-pk")[:at_most]
    found: dict[str, Event] = {event.event_id: event for event in waiting}
    for each in wanted:
        shipped = SecurityEvent.objects.using("audit").filter(each).order_by("-at", "-pk")[:at_most]
        found |= {event.event_id: event for event in shipped}
    return sorted(found.values(), key=lambda event: (event.at, event.pk))[-at_most:]


class NewEvents:
    """What happens from now on, each once."""

    def __init__(self, wanted: Q) -> None:
        self._wanted = wanted
        self._last = _last_shipped()
        self._seen = set(self._waiting().values_list("event_id", flat=True))

    def leave_out(self, events: Iterable[Event]) -> None:
        """Those that were read elsewhere since this began."""
        self._seen |= {each.event_id for each in events}

    def read(self) -> list[Event]:
        """Those since the last call, oldest first."""
        waiting, last = list(self._waiting()), _last_shipped()
        shipped = list(SecurityEvent.objects.filter(self._wanted, pk__gt=self._last, pk__lte=last))
        new = {each.event_id: each for each in (*waiting, *shipped) if each.event_id not in self._seen}
        self._seen, self._last = {each.event_id for each in waiting}, last
        return sorted(new.values(), key=lambda each: each.at)

    def _waiting(self) -> QuerySet[OutboxEvent]:
        return OutboxEvent.objects.filter(self._wanted).order_by("pk")


def _last_shipped() -> int:
    return SecurityEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
