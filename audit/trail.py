"""The one way to write a security event: into the outbox, in the transaction of the change it records."""

from dataclasses import dataclass, fields
from typing import Any

from django.db import connection

from audit.event_kinds import EventKind
from audit.models import new_event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
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


_COLUMNS = ("event_id", *(field.name for field in fields(Event)))
_ROW = "(" + ", ".join(["%s"] * len(_COLUMNS)) + ")"
_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)
_INSERT = f"INSERT INTO audit_outboxevent ({_QUOTED}) VALUES "  # noqa: S608  # column names of our own


def event_row(event: Event) -> dict[str, Any]:
    """The row of an event by the names of its columns, with an id of its own."""
    return {"event_id": new_event_id(), **{name: getattr(event, name) for name in _COLUMNS[1:]}}


def record_events(*events: Event) -> None:
    """One statement for all of them, on the connection of the transaction that is open."""
    values: list[Any] = []
    for event in events:
        values += event_row(event).values()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join([_ROW] * len(events)), values)
