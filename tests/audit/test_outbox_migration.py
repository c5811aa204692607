"""One row for what one transaction tells: what waits moves over, back and again, and processes of before go on."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.running import DATABASES, Server
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
NUMBER = """INSERT INTO audit_outbox (at, number, events)
    VALUES (4, 1, '[{"event_id":"id 6","kind":"issued","at":4,"patient":5}]') RETURNING 1"""
WAITS = "SELECT count(*) FROM pg_locks WHERE relation = 'audit_outboxevent'::regclass AND NOT granted"
BOTH = [("id 4", "issued", 5, *EMPTY), ("id 5", "revoked", 4, "an-app", *EMPTY[1:])]


@pytest.fixture
def on_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DATABASES:
        monkeypatch.delenv(name, raising=False)


def waiting(migrated: Server) -> list[tuple[Any, ...]]:
    return rows(migrated, "main", READ.format("audit_outboxevent"))


@contextmanager
def inserting(migrated: Server) -> Iterator[psycopg.Connection]:
    """A process of before that has inserted three events, and not committed yet."""
    with psycopg.connect(migrated.environment["SMARTAUTH_DATABASE_URL"]) as connection:
        connection.execute("SET idle_in_transaction_session_timeout = '30s'")
        connection.execute(INSERT.encode())
        yield connection


def wait_until_it_waits(migrated: Server) -> None:
    deadline = time.monotonic() + 60
    while rows(migrated, "main", WAITS) == [(0,)]:
        assert time.monotonic() < deadline, "the migration waits for nobody"
        time.sleep(0.01)


def outbox(migrated: Server) -> list[tuple[Any, ...]]:
    """When the oldest event of each row was, how many events it says it has, and what they say."""
    found = rows(migrated, "main", "SELECT at, number, events FROM audit_outbox ORDER BY id")
    return [(at, number, json.loads(events)) for at, number, events in found]


def test_what_waits_moves_back_and_over_again_in_its_order(migrated: Server) -> None:
    rows(migrated, "main", INSERT)
    rows(migrated, "main", RECORD)

    migrated.manage("migrate", "audit", BEFORE, "--verbosity", "0")

    assert waiting(migrated) == [*EVENTS, *BOTH]
    rows(migrated, "main", INSERT.replace("id ", "later "))
    later = waiting(migrated)[5:]
    assert len(later) == 3

    migrated.manage("migrate", "audit", "--verbosity", "0")

    assert waiting(migrated) == [*EVENTS, *BOTH, *later]
    assert [each[:2] for each in outbox(migrated)] == [(at, 1) for at in (9, 7, 8, 5, 4, 9, 7, 8)]
    assert outbox(migrated)[:2] == [
        (9, 1, [{"event_id": "id 1", "kind": "revoked", "at": 9}]),
        (7, 1, [dict(zip(MEMBERS, EVENTS[1], strict=True))]),
    ]
    assert migrated.manage(*SHIP).strip() == "8"


def test_a_process_of_before_records_its_events_and_they_are_shipped(migrated: Server) -> None:
    rows(migrated, "main", INSERT)

    assert [(at, number, len(events)) for at, number, events in outbox(migrated)] == [(9, 1, 1), (7, 1, 1), (8, 1, 1)]
    assert waiting(migrated) == EVENTS
    assert migrated.manage(*SHIP).strip() == "3"
    assert rows(migrated, "audit", READ.format("audit_securityevent")) == EVENTS


def test_a_worker_of_before_deletes_nothing_so_that_one_of_today_finds_what_that_has_not_copied(
    migrated: Server,
) -> None:
    rows(migrated, "main", RECORD)

    with pytest.raises(Exception, match="view"):
        rows(migrated, "main", "DELETE FROM audit_outboxevent WHERE id IN (SELECT min(id) FROM audit_outboxevent)")

    assert waiting(migrated) == BOTH


@pytest.mark.postgresql
def test_what_is_inserted_while_the_migration_runs_moves_over_too(migrated: Server) -> None:
    migrated.manage("migrate", "audit", BEFORE, "--verbosity", "0")

    with ThreadPoolExecutor() as threads, inserting(migrated) as connection:
        migration = threads.submit(migrated.manage, "migrate", "audit", "--verbosity", "0")
        wait_until_it_waits(migrated)
        connection.commit()
        migration.result()

    assert waiting(migrated) == EVENTS
    assert [number for _, number, _ in outbox(migrated)] == [1, 1, 1]


@pytest.mark.postgresql
def test_where_another_transaction_stays_open_the_migration_gives_up_and_can_be_run_again(migrated: Server) -> None:
    migrated.manage("migrate", "audit", BEFORE, "--verbosity", "0")

    with inserting(migrated) as connection:
        with pytest.raises(AssertionError, match=r"CommandError: .* holds audit_outboxevent\. Try again"):
            migrated.manage("migrate", "audit", "--verbosity", "0")
        connection.commit()

    assert rows(migrated, "main", "SELECT relkind::text FROM pg_class WHERE relname = 'audit_outboxevent'") == [("r",)]
    migrated.manage("migrate", "audit", "--verbosity", "0")
    assert waiting(migrated) == EVENTS


@pytest.mark.postgresql
def test_no_function_of_anybody_else_is_called_for_a_process_of_before(migrated: Server) -> None:
    trap = "LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$"
    with psycopg.connect(migrated.environment["SMARTAUTH_DATABASE_URL"]) as connection:
        connection.execute("CREATE SCHEMA trap")
        connection.execute(f"CREATE FUNCTION trap.json_strip_nulls(json) RETURNS json {trap}".encode())
        connection.execute("SET search_path = trap, pg_catalog, public")
        connection.execute(INSERT.encode())

    assert waiting(migrated) == EVENTS


@pytest.mark.usefixtures("on_sqlite")  # PostgreSQL takes no NUL
def test_a_text_with_a_nul_that_a_process_of_before_records_is_read_to_its_end(migrated: Server) -> None:
    nul = INSERT.replace('the "client"', "a' || char(0) || 'b\\u0000c\\' || char(0) || 'd")
    assert nul != INSERT

    rows(migrated, "main", nul)

    assert waiting(migrated)[1][3] == "a\ufffdb\\u0000c\\\ufffdd \\u0041 ü"


def test_what_is_a_number_in_an_event_is_read_as_text(migrated: Server) -> None:
    rows(migrated, "main", NUMBER)

    assert [event[6] for event in waiting(migrated)] == ["5"]
