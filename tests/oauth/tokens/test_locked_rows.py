"""What a batch reads is as new as its lock: a row that changed since the statement began is read again (PostgreSQL)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from accounts import clock
from introspection import gathered_revocation
from oauth.models import AccessToken, Authorization, Code, RefreshToken, Seat, sql
from oauth.tokens import gathered_exchange, gathered_refresh
from smart.digests import sha256_hex
from smart.tokens.lifetimes import ends_of_live_tokens
from smart.tokens.refresh import possible_ends
from tests.fixture_types import Grant, Issue, MakeClient
from tests.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.postgresql]
GATE = 70_529
ASKED = "unnest(%s::text[]) AS q (digest)"
# waits at the gate after the statement has begun and before it looks for a row
AT_THE_GATE = f"""(SELECT digest FROM unnest(%s::text[]) AS digest
    CROSS JOIN (SELECT pg_advisory_xact_lock({GATE})) gate OFFSET 0) AS q (digest)"""
REFRESHABLE = "offline_access patient/*.rs"


def ask(statement: str, *values: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


def read_while(statement: sql.Statement[Any], values: Sequence[Any], change: Callable[[], object]) -> list[Any]:
    """The rows of a statement that had begun before the change was committed, and locks its rows after it."""

    def read() -> list[Any]:
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute(statement.text.replace(ASKED, AT_THE_GATE), values)
                return [statement.row(*each) for each in cursor.fetchall()]
        finally:
            other.close()

    assert ASKED in statement.text
    ask("SELECT 1 FROM pg_advisory_lock(%s)", GATE)
    with ThreadPoolExecutor(1) as thread:
        rows = thread.submit(read)
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
        try:
            assert wait_until(lambda: bool(ask(waits, GATE)) or rows.done())
            assert not rows.done()
            change()
        finally:
            ask("SELECT 1 FROM pg_advisory_unlock(%s)", GATE)
        return rows.result(60)


def place_of(token: str) -> list[Any]:
    """What a batch of this refresh token asks for."""
    return [*ends_of_live_tokens(clock.now()), "{" + sha256_hex(token) + "}", *possible_ends(token)]


def nothing() -> None:
    """No change, so that a row is there to be read."""


@pytest.mark.requirement("RF-04")
def test_a_refresh_token_that_was_used_meanwhile_is_not_there(issue: Issue, make_client: MakeClient) -> None:
    made = issue(make_client(grants="authorization_code refresh_token", scope=REFRESHABLE), scope=REFRESHABLE)
    digest = sha256_hex(made["refresh_token"])
    values, used = place_of(made["refresh_token"]), RefreshToken.objects.filter(digest=digest)

    (row,) = read_while(gathered_refresh._REFRESHES, values, nothing)
    assert row.digest == digest
    assert read_while(gathered_refresh._REFRESHES, values, lambda: used.update(consumed_at=7)) == []


@pytest.mark.requirement("PR-01")
def test_the_numbers_of_a_seat_are_those_that_were_given_last(issue: Issue, make_client: MakeClient) -> None:
    made = issue(make_client(grants="authorization_code refresh_token", scope=REFRESHABLE), scope=REFRESHABLE)
    digest = sha256_hex(made["refresh_token"])
    (seat,) = Seat.objects.filter(refreshtoken__digest=digest).values_list("pk", flat=True)
    change = "UPDATE oauth_seat SET latest = 41, launches = 17 WHERE id = %s RETURNING 1"

    (row,) = read_while(gathered_refresh._REFRESHES, place_of(made["refresh_token"]), lambda: ask(change, seat))

    assert (row.seat.latest, row.seat.launches, row.seat.latest_before) == (41, 17, 1)


@pytest.mark.requirement("PR-01", "HI-08")
def test_a_seat_that_has_given_a_number_meanwhile_is_not_a_batchs(issue: Issue, make_client: MakeClient) -> None:
    """The statement does not see the token with that number, which would lose its place without an event."""
    made = issue(make_client(grants="authorization_code refresh_token", scope=REFRESHABLE), scope=REFRESHABLE)
    (seat,) = Seat.objects.filter(refreshtoken__digest=sha256_hex(made["refresh_token"])).values_list("pk", flat=True)
    change = "UPDATE oauth_seat SET latest = latest + 1 WHERE id = %s RETURNING 1"
    asked = gathered_refresh._REFRESHES, place_of(made["refresh_token"])

    (before,) = read_while(*asked, nothing)
    (after,) = read_while(*asked, lambda: ask(change, seat))

    assert (gathered_refresh._has_its_seat(before), gathered_refresh._has_its_seat(after)) == (True, False)


@pytest.mark.requirement("CG-02")
def test_a_code_that_was_used_meanwhile_is_not_there(grant: Grant) -> None:
    digest = sha256_hex(grant().code)
    values, used = ["{" + digest + "}"], Code.objects.filter(digest=digest)

    (row,) = read_while(gathered_exchange._CODES, values, nothing)
    assert row.digest == digest
    assert read_while(gathered_exchange._CODES, values, lambda: used.update(consumed_at=7)) == []


@pytest.mark.requirement("LV-01")
def test_an_authorization_that_was_ended_meanwhile_is_ended_for_its_code(grant: Grant) -> None:
    made = grant()
    rows = Authorization.objects.filter(pk=made.authorization.pk)

    values = ["{" + sha256_hex(made.code) + "}"]
    (row,) = read_while(gathered_exchange._CODES, values, lambda: rows.update(epoch=9, ended_at=7))

    assert (row.authorization.epoch, row.authorization.ended_at) == (9, 7)


@pytest.mark.requirement("RV-01")
def test_a_token_that_was_revoked_meanwhile_is_revoked(issue: Issue) -> None:
    digest = sha256_hex(issue()["access_token"])
    ended = AccessToken.objects.filter(digest=digest)

    values = ["{" + digest + "}", *ends_of_live_tokens(clock.now())]
    (row,) = read_while(gathered_revocation._TOKENS, values, lambda: ended.update(revoked_at=7))

    assert row.revoked_at == 7
