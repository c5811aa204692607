"""Answers that are kept for apps that lost them, and how they are found."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import clock
from oauth.models import RefreshToken
from oauth.retention import batches
from oauth.retention.answers import forget_answers
from oauth.tokens import gathered_writes, refresh_token
from smart.digests import sha256_hex
from smart.time_units import SECOND
from smart.tokens.refresh import ANY_TIME
from tests.fixture_types import Issue, MakeClient

pytestmark = pytest.mark.usefixtures("committed")
SCOPE = "offline_access patient/*.rs"
LATE = 31 * SECOND
# of this transaction: rows changed, and those of which no index was written
CHANGED = """
SELECT sum(pg_stat_get_xact_tuples_updated(inhrelid)), sum(pg_stat_get_xact_tuples_hot_updated(inhrelid))
FROM pg_inherits WHERE inhparent = 'oauth_refreshtoken'::regclass
"""

Token = Callable[[], RefreshToken]


@pytest.fixture
def token(issue: Issue, make_client: MakeClient) -> Token:
    """Makes a refresh token that nobody has used."""

    def make() -> RefreshToken:
        made = issue(make_client(grants="authorization_code refresh_token", scope=SCOPE), scope=SCOPE)
        return RefreshToken.objects.get(digest=sha256_hex(made["refresh_token"]))

    return make


def keep_answers(*tokens: RefreshToken) -> Any:
    """Those tokens, used a while ago, with their answers."""
    rows = RefreshToken.objects.filter(pk__in=[each.pk for each in tokens])
    rows.update(consumed_at=clock.now() - LATE, kept_answer="an answer")
    return rows


def changed() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(CHANGED)
        every, hot = cursor.fetchone()
        return int(every), int(hot)


@pytest.mark.requirement("RF-05")
def test_they_are_forgotten_a_few_at_a_time_and_only_when_they_are_late(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    forget_answers(before=clock.now())  # nothing is left of other tests
    late = keep_answers(*(token() for _ in range(5)))
    new = keep_answers(token())
    new.update(consumed_at=clock.now())

    with CaptureQueriesContext(connection) as ran:
        count = forget_answers(before=clock.now() - 30 * SECOND)

    assert count == 5
    assert {*late.values_list("kept_answer", flat=True)} == {""}
    assert new.get().kept_answer == "an answer"
    assert len([query for query in ran.captured_queries if query["sql"].startswith("UPDATE")]) == 3


def test_no_refresh_token_is_read_that_has_none(token: Token) -> None:
    """By the index of those that have one, however many others there are."""
    keep_answers(token())
    with transaction.atomic():
        with CaptureQueriesContext(connection) as ran:
            forget_answers(before=clock.now())
        sought = next(query["sql"] for query in ran.captured_queries if query["sql"].startswith("SELECT"))
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_sort = off")  # few tokens are sorted, many are read in order
                cursor.execute(f"EXPLAIN {sought}")
                read = [line for (line,) in cursor.fetchall() if " on oauth_refreshtoken" in line]
                assert len(read) > 5
                assert all("Index Scan using" in line and "_id_idx" in line for line in read), read
            else:
                cursor.execute(f"EXPLAIN QUERY PLAN {sought}")
                assert [row[-1] for row in cursor.fetchall()] == [
                    "SCAN oauth_refreshtoken USING INDEX refreshtoken_kept_answer"
                ]


@pytest.mark.postgresql
def test_one_that_somebody_else_holds_is_passed_by(token: Token) -> None:
    """A batch may hold the last token and want the one before it: neither waits for the other in a circle."""
    held, free = token(), token()
    late = keep_answers(held, free)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM oauth_refreshtoken WHERE id = %s FOR NO KEY UPDATE", [held.pk])
            with transaction.atomic(), connection.cursor() as own:
                own.execute("SET LOCAL lock_timeout = '5s'")
                forget_answers(before=clock.now())
    finally:
        other.close()

    assert dict(late.values_list("pk", "kept_answer")) == {held.pk: "an answer", free.pk: ""}
    forget_answers(before=clock.now())


@pytest.mark.postgresql
@pytest.mark.parametrize("how", ["gathered", "alone"])
def test_where_no_answer_is_kept_a_token_is_spent_without_a_write_into_an_index(token: Token, how: str) -> None:
    found = token()
    ends = {"first": found.expires_at, "last": found.expires_at}
    spent = [{"id": found.pk, **ends, "now": clock.now(), "kept_answer": ""}]
    with transaction.atomic(), connection.cursor() as cursor:
        every, hot = changed()
        if how == "gathered":
            cursor.execute(gathered_writes._write("spent"), [json.dumps(spent)])
        else:
            cursor.execute(refresh_token._CONSUME.text, [clock.now(), found.digest, *ANY_TIME])

        assert changed() == (every + 1, hot + 1)
        transaction.set_rollback(True)
