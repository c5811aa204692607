"""The one way to write a security event: into the outbox, in the transaction of the change it records."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from audit.event_kinds import EventKind
from audit.models import new_event_ids


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


_COLUMNS = ("event_id", *Event._fields)
_ROW = "(" + ", ".join(["%s"] * len(_COLUMNS)) + ")"
_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)
_INSERT = f"INSERT INTO audit_outboxevent ({_QUOTED}) VALUES "  # noqa: S608  # column names of our own


def event_rows(events: Sequence[Event]) -> list[dict[str, Any]]:
    """The rows of events by the names of their columns, each with an id of its own."""
    ids = new_event_ids(len(events))
    return [dict(zip(_COLUMNS, (event_id, *event), strict=True)) for event_id, event in zip(ids, events, strict=True)]


def record_events(*events: Event) -> None:
    """One statement for all of them, on the connection of the transaction that is open."""
    values: list[Any] = []
    for row in event_rows(events):
        values += row.values()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join([_ROW] * len(events)), values)
