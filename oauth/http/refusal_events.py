"""What a browser brought and was refused is an event with the reference of its page; a flood fills nothing (AZ-25)."""

import logging

from django.conf import settings
from django.db import Error, transaction
from django.http import HttpRequest

from accounts import clock, rate_limit
from accounts.address import client_address
from audit.event_kinds import EventKind
from audit.trail import Event, record_events

log = logging.getLogger("smartauth.refusal")


def record_refusal(request: HttpRequest, kind: EventKind, case: str, reason: str, **fields: str) -> None:
    """Records one event: of a case and network the first few, then one at a hundred, a thousand; in development each.

    Strangers make any number of them. The answer goes out also where nothing can be written.
    """
    now, address = clock.now(), client_address(request)
    try:
        with transaction.atomic():
            counted = rate_limit.count("refused in a browser", case, address, now=now)
            if counted.is_worth_an_event or settings.SMARTAUTH_DEV:
                why = counted.with_number(reason)
                record_events(Event(kind=kind, at=now, address=address, reason=why, **fields))
    except Error:
        log.exception("%s: its event could not be written", fields.get("reference", "-"))
