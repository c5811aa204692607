"""`manage.py events`: the security events, and with `--follow` each as it happens."""

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from accounts.usernames import find_user
from audit.event_kinds import EventKind, Result, result_of
from audit.models import Event
from audit.reading import NewEvents, newest_events
from oauth.management.verb_command import VerbCommand
from operators.management.verbs import EVENTS
from smart.text import ascii_excerpt
from smart.time_units import to_datetime

POLL_SECONDS = 0.5
FIELDS = (
    "client",
    "person",
    "fhir_server",
    "patient",
    "authorization",
    "token",
    "address",
    "operator",
    "reference",
    "rule",
    "case",
    "presented",
    "reason",
)


class Command(VerbCommand):
    verb = EVENTS

    def handle(self, **options: Any) -> None:
        wanted = _condition(options)
        coming = NewEvents(wanted) if options["follow"] else None
        newest = newest_events(wanted, at_most=options["last"])
        self._print(newest, as_json=options["json"])
        if coming is not None:
            coming.leave_out(newest)
            with suppress(KeyboardInterrupt):
                self._follow(coming, as_json=options["json"])

    def _follow(self, coming: NewEvents, *, as_json: bool) -> None:
        """Until it is interrupted. It rests for as long as it reads at least, as what waits may be much."""
        while True:
            began = time.monotonic()
            found = coming.read()
            took = time.monotonic() - began
            self._print(found, as_json=as_json)
            time.sleep(max(POLL_SECONDS, took))

    def _print(self, found: Iterable[Event], *, as_json: bool) -> None:
        styles = {Result.REFUSED: self.style.WARNING, Result.ODD: self.style.ERROR}
        for event in found:
            if as_json:
                self.stdout.write(json.dumps(_members(event)))
            else:
                self.stdout.write(styles.get(result_of(event.kind), str)(_line(event)))
        self.stdout.flush()


def _condition(options: dict[str, Any]) -> Q:
    """What the rows of both tables must meet. A kind that nobody records is a mistake, not an empty answer."""
    if unknown := set(options["kind"] or ()) - set(EventKind):
        raise CommandError(
            f"No event is of the kind {ascii_excerpt(min(unknown))}; docs/reference/events.md lists them."
        )
    wanted = Q(kind__in=options["kind"]) if options["kind"] else Q()
    if options["client"]:
        wanted &= Q(client=options["client"])
    if options["person"]:
        user = find_user(options["person"])
        wanted &= Q(person=user.subject if user else options["person"])
    return wanted


def _members(event: Event) -> dict[str, Any]:
    filled = {name: getattr(event, name) for name in FIELDS if getattr(event, name)}
    return {"id": event.event_id, "at": to_datetime(event.at).isoformat(), "kind": event.kind, **filled}


def _line(event: Event) -> str:
    filled = [f"{name}={getattr(event, name)}" for name in FIELDS if getattr(event, name)]
    return f"{to_datetime(event.at):%Y-%m-%d %H:%M:%S}  {event.kind}  {'  '.join(filled)}"
