"""A refresh token is found by the day in its text, and without it."""

import pytest

from oauth.models import Authorization, RefreshToken
from smart.digests import sha256_hex
from tests.fixture_types import Issue
from tests.oauth.tokens.refresh_client import (
    DAY,
    Refresh,
    as_issued_before,
    assert_refused,
    state,
    tokens_of_refresh,
)


@pytest.mark.requirement("RF-03")
def test_a_refresh_token_tells_the_day_of_its_end(launch: Issue, refresh: Refresh) -> None:
    first = launch()

    for answer in (first, tokens_of_refresh(first, refresh(first))):
        row = RefreshToken.objects.get(digest=sha256_hex(answer["refresh_token"]))
        assert answer["refresh_token"].partition(".")[2] == str(row.expires_at // DAY)


@pytest.mark.requirement("RF-03", "RF-04")
@pytest.mark.parametrize("named", [True, False], ids=["client_id", "no client_id"])
def test_a_token_that_tells_no_day_serves_once_as_any_other(launch: Issue, refresh: Refresh, named: bool) -> None:
    first = as_issued_before(launch())
    form: dict[str, str | None] = {} if named else {"client_id": None}

    second = tokens_of_refresh(first, refresh(first, **form))
    again = refresh(first, **form)

    assert "." in second["refresh_token"]
    assert_refused(again)
    assert Authorization.objects.get(pk=first["granted"].authorization.pk).ended_for == "reused"


@pytest.mark.requirement("RF-04")
@pytest.mark.parametrize("days", [-1, 1, 300])
def test_a_token_with_another_day_is_none_and_changes_nothing(launch: Issue, refresh: Refresh, days: int) -> None:
    first = launch()
    drawn, _, day = first["refresh_token"].partition(".")
    before = state(first["granted"])

    for forged in (f"{drawn}.{int(day) + days}", drawn):
        assert_refused(refresh(first, refresh_token=forged))

    assert state(first["granted"]) == before
    tokens_of_refresh(first, refresh(first))


@pytest.mark.requirement("RF-04")
@pytest.mark.parametrize("days", [1, 200])
def test_a_token_whose_end_was_changed_by_hand_is_found_and_serves_once(
    launch: Issue, refresh: Refresh, days: int
) -> None:
    first = launch()
    row = RefreshToken.objects.get(digest=sha256_hex(first["refresh_token"]))
    RefreshToken.objects.filter(pk=row.pk).update(expires_at=row.expires_at - DAY * 10 + DAY * days)

    tokens_of_refresh(first, refresh(first))
    assert_refused(refresh(first))

    assert Authorization.objects.get(pk=first["granted"].authorization.pk).ended_for == "reused"
