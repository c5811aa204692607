"""One row for what one transaction tells: what waits moves over, back and again, and processes of before go on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import Server
from tests.tables import rows

pytestmark = pytest.mark.requirement("SD-10")

BEFORE = "0005_no_index_of_ids_in_the_outbox"
MEMBERS = (
    "event_id", "kind", "at", "client", "person", "fhir_server", "patient", "authorization", "token", "address",
    "reason", "reference", "operator", "rule", "case", "presented",
)  # fmt: skip
NAMES = ", ".join(f'"{name}"' for name in MEMBERS)
# three events, of which one says everything: as a process of before the migration inserts them
FULL = "('id 2', 'issued', 7, " + ", ".join(f"'the \"{name}\" \\u0041 ü'" for name in MEMBERS[3:]) + ")"
SHORT = "('{}', 'revoked', {}" + ", ''" * len(MEMBERS[3:]) + ")"
INSERT = (
    f"INSERT INTO audit_outboxevent ({NAMES}) VALUES {SHORT.format('id 1', 9)}, {FULL}, {SHORT.format('id 3', 8)}"
    " RETURNING 1"
)
READ = f"SELECT {NAMES} FROM {{}} ORDER BY id"
EMPTY = ("",) * len(MEMBERS[3:])
EVENTS = [
    ("id 1", "revoked", 9, *EMPTY),
    ("id 2", "issued", 7, *(f'the "{name}" \\u0041 ü' for name in MEMBERS[3:])),
    ("id 3", "revoked", 8, *EMPTY),
]
SHIP = ("shell", "--no-imports", "-c", "from audit.shipping import ship; print(ship())")
# two events of one transaction
TOLD = """[{"event_id":"id 4","kind":"issued","at":5},{"event_id":"id 5","kind":"revoked","at":4,"client":"an-app"}]"""
RECORD = f"INSERT INTO audit_outbox (at, number, events) VALUES (4, 2, '{TOLD}') RETURNING 1"
BOTH = [("id 4", "issued", 5, *EMPTY), ("id 5", "revoked", 4, "an-app", *EMPTY[1:])]


@pytest.fixture
def server() -> Iterator[Server]:
    """Migrated, with nothing in it."""
    made = Server()
    try:
        made.migrate()
        yield made
    finally:
        made.remove()


def waiting(server: Server) -> list[tuple[Any, ...]]:
    return rows(server, "main", READ.format("audit_outboxevent"))


def outbox(server: Server) -> list[tuple[Any, ...]]:
    """When the oldest event of each row was, how many events it says it has, and what they say."""
    found = rows(server, "main", "SELECT at, number, events FROM audit_outbox ORDER BY id")
    return [(at, number, json.loads(events)) for at, number, events in found]


def test_what_waits_moves_back_and_over_again_in_its_order(server: Server) -> None:
    rows(server, "main", INSERT)
    rows(server, "main", RECORD)

    server.manage("migrate", "audit", BEFORE, "--verbosity", "0")

    assert waiting(server) == [*EVENTS, *BOTH]
    rows(server, "main", INSERT.replace("id ", "later "))
    later = waiting(server)[5:]
    assert len(later) == 3

    server.manage("migrate", "audit", "--verbosity", "0")

    assert waiting(server) == [*EVENTS, *BOTH, *later]
    assert [each[:2] for each in outbox(server)] == [(at, 1) for at in (9, 7, 8, 5, 4, 9, 7, 8)]
    assert outbox(server)[:2] == [
        (9, 1, [{"event_id": "id 1", "kind": "revoked", "at": 9}]),
        (7, 1, [dict(zip(MEMBERS, EVENTS[1], strict=True))]),
    ]
    assert server.manage(*SHIP).strip() == "8"


def test_a_process_of_before_records_its_events_and_they_are_shipped(server: Server) -> None:
    rows(server, "main", INSERT)

    assert [(at, number, len(events)) for at, number, events in outbox(server)] == [(9, 1, 1), (7, 1, 1), (8, 1, 1)]
    assert waiting(server) == EVENTS
    assert server.manage(*SHIP).strip() == "3"
    assert rows(server, "audit", READ.format("audit_securityevent")) == EVENTS


def test_a_worker_of_before_deletes_nothing_so_that_one_of_today_finds_what_that_has_not_copied(
    server: Server,
) -> None:
    rows(server, "main", RECORD)

    with pytest.raises(Exception, match="view"):
        rows(server, "main", "DELETE FROM audit_outboxevent WHERE id IN (SELECT min(id) FROM audit_outboxevent)")

    assert waiting(server) == BOTH
