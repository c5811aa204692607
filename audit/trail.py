"""The one way to write a security event: into the outbox, in the transaction of the change it records."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from audit.event_kinds import EventKind
from audit.models import new_event_ids
from smart.json_output import unicode_json


class Event(NamedTuple):
    """References, ids and addresses; never names, contents, tokens or a jti.

    Of a refusal `rule` is a line of docs/specification and `case` a row of its bad input, `presented` what was sent.
    """

    kind: EventKind
    at: int
    client: str = ""
    person: str = ""
    fhir_server: str = ""
    patient: str = ""
    authorization: str = ""
    token: str = ""
    address: str = ""
    reason: str = ""
    reference: str = ""
    operator: str = ""
    rule: str = ""
    case: str = ""
    presented: str = ""


class OutboxRow(NamedTuple):
    """What one transaction tells: the moment of its oldest event, how many there are, and all of them as JSON."""

    at: int
    number: int
    events: str


INSERT = f"INSERT INTO audit_outbox ({', '.join(OutboxRow._fields)}) VALUES (%s, %s, %s)"  # noqa: S608  # our own names
_NAMES = Event._fields
_NUL, _ITS_ESCAPE, _REPLACEMENT = "\0", "\\u0000", "\ufffd"


def outbox_row(events: Sequence[Event]) -> OutboxRow:
    """The row of these events, each with an id of its own, and with those members alone that are not empty."""
    members = _members(events)
    text = unicode_json(members)  # a driver refuses half a character, whose escape PostgreSQL would never read
    if _ITS_ESCAPE in text:
        text = unicode_json([{name: _storable(value) for name, value in each.items()} for each in members])
    return OutboxRow(min(event.at for event in events), len(events), text)


def _members(events: Sequence[Event]) -> list[dict[str, Any]]:
    rows = []
    for event_id, event in zip(new_event_ids(len(events)), events, strict=True):
        row = {"event_id": event_id, "at": event.at}
        for name, value in zip(_NAMES, event, strict=True):
            if value:
                row[name] = value
        rows.append(row)
    return rows


def _storable(value: Any) -> Any:
    """PostgreSQL keeps no NUL in a text: what a caller sent must not keep the event of it from being recorded."""
    return value.replace(_NUL, _REPLACEMENT) if isinstance(value, str) else value


def record_events(*events: Event) -> None:
    """One row for all of them, on the connection of the transaction that is open; none where there are none."""
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.execute(INSERT, outbox_row(events))
