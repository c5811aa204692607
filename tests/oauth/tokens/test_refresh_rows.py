"""A refresh token is found by the day in its text, and without it."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from oauth.explain.judgement import judge_token
from oauth.models import Authorization, RefreshToken
from oauth.tokens import refresh_rows
from smart.digests import sha256_hex
from smart.tokens import refresh as smart_refresh
from tests.conftest import App
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


def ends_by_revocation(app: App, answer: dict[str, Any]) -> bool:
    form = {"token": answer["refresh_token"], "client_id": answer["granted"].client.client_id}
    assert app.post("/o/revoke", data=form).status_code == 200
    return Authorization.objects.get(pk=answer["granted"].authorization.pk).ended_for == "revoked"


def is_explained(app: App, answer: dict[str, Any]) -> bool:
    found = judge_token(answer["refresh_token"], now=clock.now()).explanation
    return found is not None and found.rule == "IN-08"


@pytest.mark.requirement("RV-04")
@pytest.mark.parametrize("by", [ends_by_revocation, is_explained], ids=["revocation", "explanation"])
def test_a_token_is_found_where_it_says_and_else_anywhere(
    app: App, launch: Issue, monkeypatch: pytest.MonkeyPatch, by: Callable[[App, dict[str, Any]], bool]
) -> None:
    says, says_nothing, changed, sought = launch(), as_issued_before(launch()), launch(), as_issued_before(launch())
    row = RefreshToken.objects.get(digest=sha256_hex(changed["refresh_token"]))
    RefreshToken.objects.filter(pk=row.pk).update(expires_at=row.expires_at - 5 * DAY)

    assert by(app, says_nothing)
    assert by(app, changed)
    for module in (refresh_rows, smart_refresh):
        monkeypatch.setattr(module, "ANY_TIME", (0, 0))
    assert by(app, says)
    assert not by(app, sought)
