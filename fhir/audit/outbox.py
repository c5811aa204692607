"""Where an event waits: a row of the main database, so that it is in the transaction of what it tells about."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import connection

_INSERT = (
    'INSERT INTO fhir_audit_waitingevent ("event_id", "at", "ready_at", "count", "facts") VALUES {} '
    'ON CONFLICT ("event_id") DO UPDATE SET "count" = fhir_audit_waitingevent."count" + excluded."count"'
)


class Row(NamedTuple):
    """An event as it waits: of when it tells, from when on it is ready, and how many it stands for."""

    event_id: str
    at: int
    ready_at: int
    times: int
    facts: str


def new_row(facts: Mapping[str, Any]) -> Row:
    """An event of its own, ready to be shipped."""
    return Row(str(uuid4()), facts["at"], 0, 1, json.dumps(facts))


def record(rows: Sequence[Row]) -> None:
    """One statement for all of them, on the connection of the transaction that is open."""
    statement = _INSERT.format(", ".join(["(%s, %s, %s, %s, %s)"] * len(rows)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
