"""The partitions of the tokens: one is made in time, one goes when all in it is over, each token finds one."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import clock
from introspection import gathered_revocation, revoke
from introspection.token_lookup import POSTGRESQL
from oauth.migrations import _by_expiry
from oauth.migrations._by_expiry import ByExpiry
from oauth.models import AccessToken, RefreshToken, sql
from oauth.retention import partitions
from oauth.retention.partitions import Partitions
from oauth.retention.sweeping import TOKENS_KEPT, sweep
from oauth.tokens import (
    gathered_refresh,
    gathered_seats,
    gathered_writes,
    refresh_reuse,
    refresh_rows,
    refresh_token,
    supersede,
    unheard_commit,
    unnamed_client,
)
from smart.digests import sha256_hex
from smart.time_units import DAY, SECOND
from smart.tokens.refresh import ANY_TIME
from tests.conftest import App
from tests.fixture_types import Introspect, Issue, MakeClient
from tests.kept_plans import explained

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.postgresql]
YEAR = 365 * DAY
SCOPE = "offline_access patient/*.rs"
DAY_OF_TOKENS = (clock.now() + 92 * DAY) // DAY * DAY, (clock.now() + 92 * DAY) // DAY * DAY + DAY - 1

HOUR_OF_TOKENS = clock.now(), clock.now() + 3600 * SECOND


@contextmanager
def undone() -> Iterator[None]:
    """Nothing of it stays."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(statement: str, *values: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        if cursor.description is None:
            return []
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@dataclass(frozen=True)
class Table:
    """Tokens of one kind: their partitions, and what is unique within each."""

    parts: Partitions
    model: type[Any]
    member: str
    migration: ByExpiry
    unique: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.model._meta.db_table)

    def ends(self) -> dict[str, int]:
        """When the last token of each partition has expired."""
        return dict(ask(f"SELECT name, until FROM oauth_{self.parts.noun}_partitions()"))

    def place(self, token: Any) -> str:
        return str(ask(f"SELECT tableoid::regclass::text FROM {self.name} WHERE id = %s", token.pk)[0][0])

    def expire(self, token: Any, at: int) -> None:
        self.model.objects.filter(pk=token.pk).update(expires_at=at)
        if connection.in_atomic_block:
            connection.check_constraints()  # what waits for the commit would hold up changes of the table

    def add_one(self) -> None:
        """The next partition."""
        self.parts.add_in_time(now=self.parts.covered_until() - self.parts.ahead + 1)


ACCESS = Table(
    partitions.ACCESS_TOKENS,
    AccessToken,
    "access_token",
    _by_expiry.ACCESS_TOKENS,
    ("digest", "id", "jti"),
)
REFRESH = Table(
    partitions.REFRESH_TOKENS,
    RefreshToken,
    "refresh_token",
    _by_expiry.REFRESH_TOKENS,
    ("digest", "id", "predecessor_id"),
)


@pytest.fixture(params=[ACCESS, REFRESH], ids=["access tokens", "refresh tokens"])
def table(request: pytest.FixtureRequest) -> Table:
    found: Table = request.param
    return found


@pytest.fixture
def launch(issue: Issue, make_client: MakeClient) -> Callable[[], dict[str, Any]]:
    """A launch that gives tokens of both kinds."""
    return lambda: issue(make_client(grants="authorization_code refresh_token", scope=SCOPE), scope=SCOPE)


@pytest.fixture
def token(launch: Callable[[], dict[str, Any]], table: Table) -> Any:
    return table.model.objects.get(digest=sha256_hex(launch()[table.member]))


def test_the_next_partition_is_made_a_month_before_it_is_needed_and_once(table: Table) -> None:
    with undone():
        before, end = table.ends(), table.parts.covered_until()

        table.parts.add_in_time(now=end - table.parts.ahead)
        unchanged = table.ends()
        for _ in range(2):
            table.parts.add_in_time(now=end - table.parts.ahead + 1)

        assert unchanged == before
        assert [until for name, until in table.ends().items() if name not in before] == [end + 30 * DAY]


def test_as_many_are_made_as_the_tokens_need_that_live_longest(table: Table, settings: Any) -> None:
    """A refresh token may lie unused for years. Its partitions are longer then, so that few of them are to be kept."""
    with undone():
        now, before = table.parts.covered_until(), len(table.ends())
        settings.SMARTAUTH_REFRESH_IDLE_SECONDS = 10 * YEAR // SECOND

        table.parts.add_in_time(now=now)

        assert table.parts.covered_until() >= now + 30 * DAY + (10 * YEAR if table is REFRESH else 0)
        assert len(table.ends()) - before <= 4


def test_a_new_partition_has_every_index_of_the_others_and_its_own_uniqueness(token: Any, table: Table) -> None:
    indexes = """
    SELECT regexp_replace(indexdef, '^.* USING', ''), indexdef ~ 'UNIQUE' FROM pg_indexes WHERE tablename = %s
    """
    with undone():
        table.add_one()
        kept = {name: sorted(ask(indexes, name)) for name in (*table.ends(), f"{table.name}_default")}

    assert len(kept) >= 4
    assert len({str(each) for each in kept.values()}) == 1
    assert sorted(text for text, unique in kept[f"{table.name}_first"] if unique) == [
        f" btree ({column})" for column in table.unique
    ]


def test_a_partition_goes_when_everything_in_it_expired_ninety_days_ago_and_no_other(token: Any, table: Table) -> None:
    with undone():
        end = min(table.ends().values())
        table.expire(token, end)  # the first moment of the next one

        table.parts.drop_expired(before=end - 1)
        early = list(table.ends())
        table.parts.drop_expired(before=end)

        assert early[0] == f"{table.name}_first"
        assert list(table.ends()) == early[1:]
        assert table.model.objects.filter(pk=token.pk).exists()


def test_a_sweep_keeps_what_expired_less_than_ninety_days_ago(
    token: Any, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    with undone():
        end = table.ends()[table.place(token)]
        monkeypatch.setattr(clock, "now", lambda: end + TOKENS_KEPT - 1)
        sweep()
        assert table.model.objects.filter(pk=token.pk).exists()

        monkeypatch.setattr(clock, "now", lambda: end + TOKENS_KEPT)
        sweep()
        assert not table.model.objects.filter(pk=token.pk).exists()


def test_what_is_older_than_any_in_a_partition_that_still_is_kept_goes_singly(token: Any, table: Table) -> None:
    """As what the default partition took, or the first one, which holds all of before."""
    with undone():
        for days, remains in ((119, True), (121, False)):
            table.expire(token, clock.now() - days * DAY)
            sweep()
            assert table.model.objects.filter(pk=token.pk).exists() is remains


def test_a_token_without_a_partition_of_its_own_serves_as_well_and_gets_one_later(
    app: App, launch: Callable[[], dict[str, Any]], introspect: Introspect, table: Table
) -> None:
    made = launch()
    token = table.model.objects.get(digest=sha256_hex(made[table.member]))
    last = table.parts.covered_until()
    table.expire(token, last + DAY)
    try:
        assert table.place(token) == f"{table.name}_default"
        assert introspect(made["access_token"])["active"] is True
        with undone():
            table.add_one()
            assert table.place(token).startswith(f"{table.name}_until_")
        form = {"grant_type": "refresh_token", "client_id": made["granted"].client.client_id}
        assert app.post("/o/token", data={**form, "refresh_token": made["refresh_token"]}).status_code == 200
    finally:
        token.delete()


def found_by_another(table: Table, digest: str) -> bool:
    """Whether a new connection finds the token to write it."""
    try:
        if table is REFRESH:
            return sql.one(refresh_token._CONSUME, [clock.now(), digest, *ANY_TIME]) is not None
        return unheard_commit.write_again(digest)
    finally:
        connection.close()


def wait_for_waiting() -> None:
    """Until another connection waits for a lock."""
    end = time.monotonic() + 60
    while not ask("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"):
        assert time.monotonic() < end
        time.sleep(0.01)
        ask("SELECT pg_stat_clear_snapshot()")


@pytest.mark.requirement("RF-04")
def test_a_token_is_found_also_while_it_moves_into_a_new_partition(token: Any, table: Table) -> None:
    before, last = set(table.ends()), table.parts.covered_until()
    table.expire(token, last + DAY)
    try:
        with ThreadPoolExecutor(1) as another:
            with transaction.atomic():
                ask(f"SELECT oauth_add_{table.parts.noun}_partition(%s, 30)", last)
                found = another.submit(found_by_another, table, token.digest)
                wait_for_waiting()
            assert found.result()
        assert table.place(token).startswith(f"{table.name}_until_")
    finally:
        table.model.objects.filter(pk=token.pk)._raw_delete("default")
        for name in set(table.ends()) - before:
            ask(f"DROP TABLE {name}")


@pytest.mark.parametrize(
    "name",
    [
        "0023_no_token_is_missed_while_it_moves",
        "0027_one_wait_for_partitions",
    ],
)
def test_a_database_that_was_split_before_gets_the_functions_of_today(table: Table, name: str) -> None:
    add = f"oauth_add_{table.parts.noun}_partition"
    mode = f"SELECT substring(prosrc FROM '{table.name} IN ([A-Z ]+)') FROM pg_proc WHERE proname = '{add}'"
    with undone():
        weaker = table.migration.functions("public").replace("IN ACCESS EXCLUSIVE", "IN SHARE UPDATE EXCLUSIVE")
        ask(weaker)
        old = ask(mode)
        with connection.schema_editor() as editor:
            for step in import_module(f"oauth.migrations.{name}").Migration.operations:
                step.code(apps, editor)

        assert old == [("SHARE UPDATE EXCLUSIVE MODE",)]
        assert ask(mode) == [("ACCESS EXCLUSIVE MODE",)]


def test_no_function_of_anybody_else_is_called_with_the_rights_of_the_owner(table: Table) -> None:
    trap = "RETURNS {} LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$"
    with undone():
        ask(f"CREATE FUNCTION public.to_timestamp(numeric) {trap.format('timestamptz')}")
        ask(f"CREATE FUNCTION public.to_timestamp(bigint) {trap.format('timestamptz')}")
        ask(f"CREATE FUNCTION public.format(text, text, bigint, bigint) {trap.format('text')}")
        ask(f"CREATE FUNCTION public.format(text, text) {trap.format('text')}")
        before = table.parts.covered_until()
        table.add_one()
        assert table.parts.covered_until() > before
        assert table.parts.drop_expired(before=min(table.ends().values())) >= 0


def test_after_a_year_without_a_worker_the_next_partition_is_for_what_is_issued_then(token: Any, table: Table) -> None:
    with undone():
        now = table.parts.covered_until() + YEAR
        table.expire(token, now - DAY)

        table.parts.add_in_time(now=now)

        assert table.parts.covered_until() - now > 29 * DAY
        assert table.place(token) == f"{table.name}_default"


def test_where_others_hold_the_table_nothing_is_dropped_and_nobody_waits(
    app: App,
    launch: Callable[[], dict[str, Any]],
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(partitions, "PAUSE", 0)
    monkeypatch.setattr(partitions, "ATTEMPTS", 2)
    before = list(table.ends())
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT 1 FROM {table.name} LIMIT 1")

            count = table.parts.drop_expired(before=min(table.ends().values()))
            issued = launch()

            assert (count, list(table.ends())) == (0, before)
            assert issued[table.member]
    finally:
        other.close()
    assert "the next sweep tries again" in caplog.text


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (gathered_seats._LOSERS.text, ['[{"key": "a", "issues": 1, "keep": 1}]', *HOUR_OF_TOKENS]),
        (gathered_refresh._REFRESHES.text, [*HOUR_OF_TOKENS, "{a,b}", *DAY_OF_TOKENS]),
        (supersede._LOSER.text, [1, 1, *HOUR_OF_TOKENS]),
    ],
    ids=["launches", "refreshes", "alone"],
)
def test_who_is_superseded_is_found_by_seat_and_number_also_by_a_plan_for_an_empty_partition(
    statement: str, values: list[str | int]
) -> None:
    """A plan is kept while the partition fills. Of many, those are left alone whose tokens have expired."""
    with undone():
        for _ in range(5):
            ACCESS.add_one()
        ask("ANALYZE oauth_accesstoken")
        plan = explained(statement, *values)

    scans = [number for number, line in enumerate(plan) if "Scan" in line and " on oauth_accesstoken_" in line]
    assert 1 <= len(scans) <= 2, "\n".join(plan)
    assert all(re.search("seat_id = .*seat_number [>=]", plan[number + 1]) for number in scans)


@pytest.mark.parametrize("held", ["default", "first"])
@pytest.mark.parametrize("way", ["add", "drop"])
def test_who_has_waited_for_the_table_waits_for_no_partition(table: Table, way: str, held: str) -> None:
    """Everybody waits behind it meanwhile. What reads a partition alone is a vacuum, or a copy of it."""
    values, other = {"add": (0, 30), "drop": (table.ends()[f"{table.name}_first"],)}[way], connection.copy()
    without_bound = table.migration.functions("public").replace("100ms", "60s")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {table.name}_{held} IN ACCESS SHARE MODE")
            with undone():
                ask(without_bound)
                ask("SET LOCAL statement_timeout = '20s'")
                call = f"SELECT oauth_{way}_{table.parts.noun}_partition({', '.join(map(str, values))})"
                if (way, held) == ("add", "first"):
                    ask(call)
                else:
                    with pytest.raises(OperationalError, match="could not obtain lock"), transaction.atomic():
                        ask(call)
    finally:
        other.close()


ALLOWING = [
    "UPDATE oauth_pendingrequest SET answered_at = 0 WHERE false",
    "UPDATE oauth_authorization SET flagged_at = 0 WHERE false",
    "UPDATE oauth_code SET consumed_at = 0 WHERE false",
]
EXCHANGE = [
    "SELECT 1 FROM oauth_code WHERE false FOR NO KEY UPDATE",
    "UPDATE oauth_seat SET latest = 0 WHERE false",
    "UPDATE oauth_code SET consumed_at = 0 WHERE false",
    "UPDATE oauth_authorization SET flagged_at = 0 WHERE false",
    "UPDATE oauth_accesstoken SET revoked_at = 0 WHERE false",
    "UPDATE oauth_refreshtoken SET consumed_at = 0 WHERE false",
]
EXCHANGE_ALONE = [EXCHANGE[2], EXCHANGE[1], *EXCHANGE[4:], EXCHANGE[3]]
REFRESHING = [
    "SELECT 1 FROM oauth_refreshtoken WHERE false FOR NO KEY UPDATE",
    "SELECT 1 FROM oauth_accesstoken WHERE false",
    "UPDATE oauth_seat SET latest = 0 WHERE false",
    "UPDATE oauth_accesstoken SET revoked_at = 0 WHERE false",
    "UPDATE oauth_refreshtoken SET consumed_at = 0 WHERE false",
]
SERVICE = [
    "UPDATE oauth_seat SET latest = 0 WHERE false",
    "UPDATE oauth_accesstoken SET revoked_at = 0 WHERE false",
    "SELECT 1 FROM oauth_seat, oauth_authorization WHERE false FOR KEY SHARE",
]


def add_with_patience(table: Table) -> None:
    """Adds a partition on a connection of its own, which waits longer than a machine is slow, and undoes it."""
    try:
        with undone():
            ask(table.migration.functions("public").replace("100ms", "60s"))
            ask(f"SELECT oauth_add_{table.parts.noun}_partition(0, 30)")
    finally:
        connection.close()


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize(
    "writing",
    [ALLOWING, EXCHANGE, EXCHANGE_ALONE, REFRESHING, SERVICE],
    ids=["an allowing", "an exchange", "an exchange alone", "a refresh", "a service"],
)
def test_who_issues_and_who_adds_a_partition_never_wait_for_each_other(
    table: Table, writing: list[str], steps: int
) -> None:
    """Tables are locked in the order in which issuing locks them: who has begun ends, and then it is added."""
    other = connection.copy()
    try:
        with ThreadPoolExecutor(1) as another, other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '20s'")
            cursor.execute("BEGIN")
            for statement in writing[:steps]:
                cursor.execute(statement)
            added = another.submit(add_with_patience, table)
            wait_for_waiting()
            for statement in writing[steps:]:
                cursor.execute(statement)
            cursor.execute("COMMIT")
            added.result()
    finally:
        other.close()


def test_who_adds_a_partition_stops_who_begins_to_issue_before_they_hold_what_it_waits_for(table: Table) -> None:
    """So it succeeds however many others issue all the time."""
    first, later = connection.copy(), connection.copy()
    try:
        for begun in (ALLOWING, EXCHANGE, REFRESHING, SERVICE):
            with first.cursor() as cursor, later.cursor() as cursor_of_later:
                with undone():
                    ask(f"SELECT oauth_add_{table.parts.noun}_partition(0, 30)")
                    cursor.execute("SET lock_timeout = '10ms'")
                    cursor.execute("BEGIN")
                    with pytest.raises(OperationalError, match="lock timeout"):
                        cursor.execute(begun[0])
                    cursor.execute("ROLLBACK")
                cursor_of_later.execute(begun[0])
    finally:
        first.close()
        later.close()


@pytest.mark.parametrize("held", ["oauth_pendingrequest", "oauth_code", "oauth_seat", "oauth_authorization"])
def test_who_adds_a_partition_gives_up_where_a_writer_holds_what_it_locks(table: Table, held: str) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {held} IN ROW EXCLUSIVE MODE")
            with undone():
                ask("SET LOCAL statement_timeout = '60s'")
                with pytest.raises(OperationalError, match="lock timeout"):
                    ask(f"SELECT oauth_add_{table.parts.noun}_partition(0, 30)")
    finally:
        other.close()


def test_who_adds_a_partition_has_locked_before_what_its_foreign_keys_point_at(table: Table) -> None:
    known = """
    SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass
    """
    locked = [text.split()[0] for text in _by_expiry.STOPPED]
    assert {name for (name,) in ask(known, table.name)} <= set(locked)


@pytest.mark.parametrize(
    ("table", "statement", "values"),
    [
        (ACCESS, POSTGRESQL, ["{a,b}", "{c,d}", *HOUR_OF_TOKENS]),
        (ACCESS, gathered_revocation._TOKENS.text, ["{a,b}", *HOUR_OF_TOKENS]),
        (REFRESH, gathered_refresh._REFRESHES.text, [*HOUR_OF_TOKENS, "{a,b}", *DAY_OF_TOKENS]),
        (REFRESH, refresh_token._CONSUME.text, [1, "a", *DAY_OF_TOKENS]),
        (REFRESH, refresh_reuse._USED.text, ["a", *DAY_OF_TOKENS]),
        (REFRESH, unnamed_client._HOLDER, ["a", *DAY_OF_TOKENS]),
        (REFRESH, revoke._REFRESH_TOKEN.text, [1, 1, "a", *DAY_OF_TOKENS]),
        (REFRESH, revoke._WRITE_REFRESH_TOKEN_AGAIN, ["a", DAY_OF_TOKENS[0]]),
        (REFRESH, refresh_rows._KEPT, ["a", *DAY_OF_TOKENS]),
    ],
    ids=[
        "introspections",
        "revocations",
        "refreshes",
        "a refresh alone",
        "used before",
        "whose it is",
        "a revocation of it",
        "revoked before",
        "whether it is one",
    ],
)
def test_a_token_is_sought_where_one_that_ends_then_must_be_and_there_by_its_digest(
    app: App, table: Table, statement: str, values: list[str | int]
) -> None:
    """However many partitions there are, and however many tokens end then. An hour may lie in two of them."""
    with undone():
        for _ in range(5):
            table.add_one()
        plan = explained(statement, *values)

    scans = [number for number, line in enumerate(plan) if "Scan" in line and f" on {table.name}_" in line]
    assert 1 <= len(scans) <= (2 if table is ACCESS else 1), "\n".join(plan)
    assert all("Index Scan using" in plan[number] and "(digest =" in plan[number + 1] for number in scans)


def test_a_batch_writes_into_the_partition_of_each_token_that_it_has_read(
    launch: Callable[[], dict[str, Any]],
) -> None:
    token = RefreshToken.objects.get(digest=sha256_hex(launch()["refresh_token"]))
    rows = [{"id": token.pk, "first": token.expires_at, "last": token.expires_at, "now": 1, "kept_answer": ""}]
    with undone():
        for _ in range(5):
            REFRESH.add_one()
        plan = explained(gathered_writes._write("spent"), json.dumps(rows), analyze=True)

    read = [line for line in plan if " Scan " in line and " on oauth_refreshtoken" in line]
    assert len(read) >= 8
    assert len([line for line in read if "never executed" not in line]) == 1


def test_what_a_dropped_token_was_exchanged_for_is_refreshed_as_before(
    app: App, launch: Callable[[], dict[str, Any]], settings: Any
) -> None:
    settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 30
    made = launch()
    form = {"grant_type": "refresh_token", "client_id": made["granted"].client.client_id}
    second = app.post("/o/token", data={**form, "refresh_token": made["refresh_token"]}).json()
    chain = RefreshToken.objects.filter(authorization=made["granted"].authorization)
    chain.filter(predecessor=None)._raw_delete("default")  # as a drop does

    assert app.post("/o/token", data={**form, "refresh_token": second["refresh_token"]}).status_code == 200
    chain._raw_delete("default")


def test_backwards_it_is_one_table_again_and_forwards_no_row_moves(
    app: App, launch: Callable[[], dict[str, Any]], table: Table
) -> None:
    shape = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1"
    made = launch()
    token = table.model.objects.get(digest=sha256_hex(made[table.member]))
    with undone():
        table.expire(token, table.parts.covered_until() + DAY)
        rows = list(table.model.objects.order_by("pk").values())
        with connection.schema_editor() as editor:
            table.migration.join(apps, editor)
        joined, back = ask(shape, table.name), list(table.model.objects.order_by("pk").values())

        ask(table.migration.functions("public"))  # they outlive the restore of a backup of before
        with connection.schema_editor() as editor:
            table.migration.split(apps, editor)

        unique = {text.partition(" USING btree ")[2] for _, text in joined if " UNIQUE " in text}
        assert unique == {f"({column})" for column in table.unique}
        assert back == rows == list(table.model.objects.order_by("pk").values())
        assert table.place(token) == f"{table.name}_first"
        assert table.parts.covered_until() == min(table.ends().values()) + table.migration.months * 30 * DAY
        token.pk, token.digest = None, "another"
        if table is ACCESS:
            token.jti = "another"
        token.save(force_insert=True)
        assert token.pk > max(row["id"] for row in rows)


def test_each_way_nobody_writes_from_before_the_first_row_is_read(table: Table) -> None:
    """Who read first and locked then would lose what comes meanwhile, or wait in a circle."""
    with undone():
        for way in (table.migration.join, table.migration.split):
            with CaptureQueriesContext(connection) as ran, connection.schema_editor() as editor:
                way(apps, editor)
            statements = [query["sql"] for query in ran.captured_queries if table.name in query["sql"]]
            assert statements[0] == f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE"


def test_backwards_a_token_whose_predecessor_was_dropped_has_none(
    app: App, launch: Callable[[], dict[str, Any]]
) -> None:
    made = launch()
    form = {"grant_type": "refresh_token", "client_id": made["granted"].client.client_id}
    second = app.post("/o/token", data={**form, "refresh_token": made["refresh_token"]}).json()
    third = app.post("/o/token", data={**form, "refresh_token": second["refresh_token"]}).json()
    chain = [RefreshToken.objects.filter(digest=sha256_hex(each["refresh_token"])) for each in (made, second, third)]
    with undone():
        chain[0]._raw_delete("default")
        with connection.schema_editor() as editor:
            REFRESH.migration.join(apps, editor)

        assert chain[1].get().predecessor_id is None
        assert chain[2].get().predecessor_id == chain[1].get().pk
