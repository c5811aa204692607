"""What a browser brought and was refused is an event with the reference of its page; a flood fills nothing (AZ-25)."""

import logging

from django.conf import settings
from django.db import Error, transaction
from django.http import HttpRequest

from accounts import clock, rate_limit
from accounts.address import client_address
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from smart.explanation import Explanation
from smart.http.addresses import caller_network
from smart.remembered import forget_too
from smart.time_units import SECOND

MOST_COUNTED = 10_000
log = logging.getLogger("smartauth.refusal")

_counted_here: dict[tuple[str, str], rate_limit.Count] = {}
forget_too(_counted_here.clear)  # what the processes count together still bounds the events


def record_refusal(
    request: HttpRequest, kind: EventKind, explanation: Explanation, *, counted_as: str = "", **fields: str
) -> None:
    """Records one event: of a case and network the first few, then one at a hundred, a thousand; in development each.

    Strangers make any number of them: what this process would tell of no more costs no statement either. The answer
    goes out also where nothing can be written.
    """
    now, address = clock.now(), client_address(request)
    case = counted_as or explanation.case or explanation.rule
    here = _count_here(case, address, now=now)
    if not (here.is_worth_an_event or settings.SMARTAUTH_DEV):
        return
    added = 1 if settings.SMARTAUTH_DEV else here.since_last_event
    try:
        with transaction.atomic():
            counted = rate_limit.count("refused in a browser", case, address, now=now, added=added)
            if counted.is_worth_an_event or settings.SMARTAUTH_DEV:
                reason = counted.with_number(explanation.what)
                about = {"rule": explanation.rule, "case": explanation.case, "presented": explanation.presented}
                record_events(Event(kind=kind, at=now, address=address, reason=reason, **about, **fields))
    except Error:
        log.exception("%s: its event could not be written", fields.get("reference", "-"))


def _count_here(case: str, address: str, *, now: int) -> rate_limit.Count:
    """Counts one more in this process alone, within a window of its own."""
    key, window = (case, caller_network(address)), settings.SMARTAUTH_FAILURE_WINDOW_SECONDS * SECOND
    before, ends_at, _ = _counted_here.get(key, (0, 0, 0))
    if not now < ends_at <= now + window:
        before, ends_at = 0, now + window
    if len(_counted_here) >= MOST_COUNTED:
        _counted_here.clear()
    counted = _counted_here[key] = rate_limit.Count(before + 1, ends_at)
    return counted
