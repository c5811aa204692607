"""The partitions of the access tokens: one is made in time, one goes when all in it is over, each token finds one."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from accounts import clock
from introspection import gathered_revocation
from introspection.token_lookup import POSTGRESQL
from oauth.models import AccessToken
from oauth.retention import partitions
from oauth.retention.sweeping import TOKENS_KEPT, sweep
from oauth.tokens import gathered_refresh, gathered_seats
from smart.digests import sha256_hex
from smart.time_units import DAY, SECOND
from tests.conftest import App
from tests.fixture_types import Introspect, Issue
from tests.kept_plans import explained

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.postgresql]
YEAR = 365 * DAY


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


def ends() -> dict[str, int]:
    """When the last token of each partition has expired."""
    return dict(ask("SELECT name, until FROM oauth_access_token_partitions()"))


def place(token: AccessToken) -> str:
    return str(ask("SELECT tableoid::regclass::text FROM oauth_accesstoken WHERE id = %s", token.pk)[0][0])


@pytest.fixture
def token(issue: Issue) -> AccessToken:
    return AccessToken.objects.get(digest=sha256_hex(issue()["access_token"]))


def expire(token: AccessToken, at: int) -> None:
    AccessToken.objects.filter(pk=token.pk).update(expires_at=at)
    if connection.in_atomic_block:
        connection.check_constraints()  # what waits for the commit would hold up changes of the table


def test_the_next_partition_is_made_a_month_before_it_is_needed_and_once() -> None:
    with undone():
        before, end = ends(), partitions.covered_until()

        partitions.add_in_time(now=end - partitions.AHEAD)
        unchanged = ends()
        for _ in range(2):
            partitions.add_in_time(now=end - partitions.AHEAD + 1)

        assert unchanged == before
        assert [until for name, until in ends().items() if name not in before] == [end + 30 * DAY]


def test_a_new_partition_has_every_index_of_the_others_and_its_own_uniqueness(token: AccessToken) -> None:
    indexes = """
    SELECT regexp_replace(indexdef, '^.* USING', ''), indexdef ~ 'UNIQUE' FROM pg_indexes WHERE tablename = %s
    """
    with undone():
        partitions.add_in_time(now=partitions.covered_until())
        kept = {name: sorted(ask(indexes, name)) for name in (*ends(), "oauth_accesstoken_default")}

    assert len(kept) >= 4
    assert len({str(each) for each in kept.values()}) == 1
    assert sorted(text for text, unique in kept["oauth_accesstoken_first"] if unique) == [
        " btree (digest)", " btree (id)", " btree (jti)"
    ]  # fmt: skip


def test_a_partition_goes_when_everything_in_it_expired_ninety_days_ago_and_no_other(token: AccessToken) -> None:
    with undone():
        end = min(ends().values())
        expire(token, end)  # the first moment of the next one

        partitions.drop_expired(before=end - 1)
        early = list(ends())
        partitions.drop_expired(before=end)

        assert early[0] == "oauth_accesstoken_first"
        assert list(ends()) == early[1:]
        assert AccessToken.objects.filter(pk=token.pk).exists()


def test_a_sweep_keeps_what_expired_less_than_ninety_days_ago(
    token: AccessToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    with undone():
        end = min(ends().values())
        monkeypatch.setattr(clock, "now", lambda: end + TOKENS_KEPT - 1)
        sweep()
        assert AccessToken.objects.filter(pk=token.pk).exists()

        monkeypatch.setattr(clock, "now", lambda: end + TOKENS_KEPT)
        sweep()
        assert not AccessToken.objects.filter(pk=token.pk).exists()


def test_a_token_without_a_partition_of_its_own_serves_as_well_and_gets_one_later(
    issue: Issue, introspect: Introspect
) -> None:
    made = issue()["access_token"]
    token = AccessToken.objects.get(digest=sha256_hex(made))
    last = partitions.covered_until()
    expire(token, last + DAY)
    try:
        assert place(token) == "oauth_accesstoken_default"
        assert introspect(made)["active"] is True

        with undone():
            partitions.add_in_time(now=last)
            assert place(token).startswith("oauth_accesstoken_until_")
    finally:
        token.delete()


def test_no_function_of_anybody_else_is_called_with_the_rights_of_the_owner() -> None:
    trap = "RETURNS {} LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$"
    with undone():
        ask(f"CREATE FUNCTION public.to_timestamp(numeric) {trap.format('timestamptz')}")
        ask(f"CREATE FUNCTION public.to_timestamp(bigint) {trap.format('timestamptz')}")
        ask(f"CREATE FUNCTION public.format(text, text, bigint, bigint) {trap.format('text')}")
        ask(f"CREATE FUNCTION public.format(text, text) {trap.format('text')}")
        before = partitions.covered_until()
        partitions.add_in_time(now=before)
        assert partitions.covered_until() > before
        assert partitions.drop_expired(before=min(ends().values())) >= 0


def test_after_a_year_without_a_worker_the_next_partition_is_for_what_is_issued_then(token: AccessToken) -> None:
    with undone():
        now = partitions.covered_until() + YEAR
        expire(token, now - DAY)

        partitions.add_in_time(now=now)

        assert partitions.covered_until() - now > 29 * DAY
        assert place(token) == "oauth_accesstoken_default"


def test_where_others_hold_the_table_nothing_is_dropped_and_nobody_waits(
    app: App, issue: Issue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(partitions, "PAUSE", 0)
    monkeypatch.setattr(partitions, "ATTEMPTS", 2)
    before = list(ends())
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM oauth_accesstoken LIMIT 1")

            count = partitions.drop_expired(before=min(ends().values()))
            issued = issue()

            assert (count, list(ends())) == (0, before)
            assert issued["access_token"]
    finally:
        other.close()
    assert "the next sweep tries again" in caplog.text


def test_introspection_looks_into_the_partitions_of_tokens_that_may_live_and_there_by_the_index(app: App) -> None:
    """However many there are: what is read does not grow with what is kept."""
    with undone():
        for _ in range(5):
            partitions.add_in_time(now=partitions.covered_until())
        plan = explained(POSTGRESQL, "{a,b}", "{c,d}", clock.now(), clock.now() + 3600 * SECOND)

    read = [line for line in plan if "oauth_accesstoken" in line]
    assert 1 <= len(read) <= 2
    assert all("Index" in line and "digest" in line for line in read)


def test_a_revocation_finds_each_token_by_its_digest_however_many_end_within_the_bounds(app: App) -> None:
    with undone():
        for _ in range(5):
            partitions.add_in_time(now=partitions.covered_until())
        plan = explained(gathered_revocation._TOKENS.text, "{a,b}", clock.now(), clock.now() + 3600 * SECOND)

    scans = [number for number, line in enumerate(plan) if " on oauth_accesstoken" in line]
    assert 1 <= len(scans) <= 2
    assert all("Index Scan using" in plan[number] and "(digest = q.digest)" in plan[number + 1] for number in scans)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (gathered_seats._LOSERS.text, ['[{"key": "a", "issues": 1, "keep": 1}]']),
        (gathered_refresh._LOSERS.text, ["{a,b}", 1]),
    ],
    ids=["a launch", "a refresh"],
)
def test_who_is_superseded_is_found_by_seat_and_number_also_by_a_plan_for_an_empty_partition(
    statement: str, values: list[str | int]
) -> None:
    """A plan is kept while the partition fills."""
    with undone():
        partitions.add_in_time(now=partitions.covered_until())
        ask("ANALYZE oauth_accesstoken")
        plan = explained(statement, *values)

    scans = [number for number, line in enumerate(plan) if " on oauth_accesstoken_" in line]
    assert len(scans) >= 3
    assert all("seat_number >" in plan[number + 1] for number in scans)


def test_backwards_it_is_one_table_again_and_forwards_no_row_moves(token: AccessToken) -> None:
    migration = import_module("oauth.migrations.0019_access_tokens_by_expiry")
    shape = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s ORDER BY 1"
    with undone():
        expire(token, partitions.covered_until() + DAY)
        rows = list(AccessToken.objects.order_by("pk").values())
        with connection.schema_editor() as editor:
            migration.join(apps, editor)
        joined, back = ask(shape, "oauth_accesstoken"), list(AccessToken.objects.order_by("pk").values())

        ask(migration.FUNCTIONS.format(schema="public"))  # they outlive the restore of a backup of before
        with connection.schema_editor() as editor:
            migration.split(apps, editor)

        assert {name for name, _ in joined} >= {"one_access_token_a_digest", "one_access_token_a_jti"}
        assert back == rows == list(AccessToken.objects.order_by("pk").values())
        assert place(token) == "oauth_accesstoken_first"
        assert min(ends().values()) > partitions.covered_until() - 31 * DAY
        token.pk, token.digest, token.jti = None, "another", "another"
        token.save(force_insert=True)
        assert token.pk > max(row["id"] for row in rows)
