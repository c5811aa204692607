"""What the sweep deletes of tokens, and in how many steps."""

import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import clock
from oauth.models import AccessToken, Authorization, RefreshToken
from oauth.retention import batches
from oauth.retention.both_clocks import now_by_both_clocks
from oauth.retention.sweeping import sweep
from smart.time_units import DAY, MINUTE
from tests.fixture_types import Issue, MakeClient

OFFLINE = "launch/patient patient/*.rs offline_access"


@pytest.fixture
def authorization(issue: Issue, make_client: MakeClient) -> Authorization:
    """It has five access tokens and a chain of five refresh tokens: four of each are over for long, the last lately."""
    sweep()  # nothing is left of other tests
    client = make_client(grants="authorization_code refresh_token", scope=OFFLINE)
    granted: Authorization = issue(client, scope=OFFLINE)["granted"].authorization
    for number, days in enumerate([121, 121, 121, 121, 89]):
        expired = clock.now() - days * DAY
        for row in (granted.access_tokens.first(), granted.refresh_tokens.last()):
            assert row is not None
            row.pk, row.digest, row.expires_at = None, f"{number} of {granted.pk}", expired
            if isinstance(row, AccessToken):
                row.jti = row.digest
            else:
                row.predecessor = granted.refresh_tokens.last() if number else None
            row.save(force_insert=True)
    granted.access_tokens.exclude(digest__contains=" of ").delete()
    granted.refresh_tokens.exclude(digest__contains=" of ").delete()
    return granted


def test_tokens_that_are_over_for_long_go_and_no_others(authorization: Authorization) -> None:
    sweep()

    last = f"4 of {authorization.pk}"
    assert list(authorization.access_tokens.values_list("digest", flat=True)) == [last]
    assert list(authorization.refresh_tokens.values_list("digest", "predecessor")) == [(last, None)]


def test_they_go_a_few_at_a_time_each_time_in_a_transaction_of_its_own(
    authorization: Authorization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 3)

    with CaptureQueriesContext(connection) as ran:
        count = sweep()

    steps = [" ".join(query["sql"].split()[:3]).replace('"', "") for query in ran.captured_queries]
    for model in (AccessToken, RefreshToken):
        deletes = [number for number, step in enumerate(steps) if step == f"DELETE FROM {model._meta.db_table}"]
        assert len(deletes) == 2
        assert all("COMMIT" in steps[number + 1] for number in deletes)
    assert count >= 8


@pytest.mark.parametrize(("sought_at_once", "times"), [(100, 1), (4, 2), (3, 2)])
def test_they_are_sought_once_for_many_batches(
    authorization: Authorization, monkeypatch: pytest.MonkeyPatch, sought_at_once: int, times: int
) -> None:
    """No index of PostgreSQL finds what is over in the default partition: each look reads all of it."""
    monkeypatch.setattr(batches, "AT_ONCE", 1)
    monkeypatch.setattr(batches, "SOUGHT_AT_ONCE", sought_at_once)

    with CaptureQueriesContext(connection) as ran:
        sweep()

    for model, tokens in ((AccessToken, authorization.access_tokens), (RefreshToken, authorization.refresh_tokens)):
        by_end = f'ORDER BY "{model._meta.db_table}"."expires_at"'
        assert len([query for query in ran.captured_queries if by_end in query["sql"]]) == times
        assert tokens.count() == 1


@pytest.mark.postgresql
def test_a_worker_whose_clock_is_years_ahead_keeps_what_is_not_over_by_that_of_the_database(
    authorization: Authorization, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time_ns
    with transaction.atomic():
        monkeypatch.setattr(time, "time_ns", lambda: right() + 1000 * DAY * 1000)
        sweep()
        monkeypatch.setattr(time, "time_ns", right)

        assert authorization.access_tokens.count() == authorization.refresh_tokens.count() == 1
        transaction.set_rollback(True)


@pytest.mark.postgresql
def test_a_worker_whose_clock_is_behind_goes_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    right = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: right() - DAY * 1000)

    assert abs(now_by_both_clocks() - clock.now()) < MINUTE
