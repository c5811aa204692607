"""The grace window, in which the same answer comes again (RF-05), and what the sweep forgets."""

from typing import Any

import pytest

from accounts import clock
from oauth.models import Authorization, RefreshToken
from smart.digests import sha256_hex
from tests.fixture_types import Events, Introspect, Issue, MakeClient
from tests.oauth.tokens.refresh_client import (
    DAY,
    SCOPE,
    SECOND,
    Refresh,
    assert_refused,
    revoke,
    state,
    tokens_of_refresh,
)

# The grace window: RF-05 ----------------------------------------------------------------------------------------------


@pytest.fixture
def grace(settings: Any) -> None:
    settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 30


@pytest.mark.requirement("RF-05", "E94")
@pytest.mark.usefixtures("grace")
@pytest.mark.parametrize("authentication", ["none", "secret"])
def test_within_the_grace_window_the_same_answer_comes_again(
    launch: Issue, refresh: Refresh, introspect: Introspect, make_app: MakeClient, authentication: str, events: Events
) -> None:
    first = launch(make_app(authentication))

    answers = [tokens_of_refresh(first, refresh(first)) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert introspect(answers[0]["access_token"])["active"] is True
    assert first["granted"].authorization.refresh_tokens.count() == 2
    assert len(events("refresh-repeated", client=first["granted"].client.client_id)) == 2
    tokens_of_refresh(answers[0], refresh(answers[0]))


@pytest.mark.requirement("RF-05")
@pytest.mark.usefixtures("grace")
def test_the_answer_is_kept_unreadable_and_goes_at_the_next_rotation(launch: Issue, refresh: Refresh) -> None:
    first = launch()
    second = tokens_of_refresh(first, refresh(first))
    kept = RefreshToken.objects.get(digest=sha256_hex(first["refresh_token"])).kept_answer

    tokens_of_refresh(second, refresh(second))

    assert kept
    assert "Bearer" not in kept
    assert RefreshToken.objects.get(digest=sha256_hex(first["refresh_token"])).kept_answer == ""
    assert_refused(refresh(first))
    assert Authorization.objects.get(pk=first["granted"].authorization.pk).ended_for == "reused"


@pytest.mark.requirement("RF-05")
@pytest.mark.usefixtures("grace")
@pytest.mark.parametrize("days", [5, 300], ids=["shorter", "longer"])
@pytest.mark.parametrize("alone", [False, True], ids=["gathered", "alone"])
def test_the_answer_goes_also_where_tokens_live_for_another_time_now(
    launch: Issue, refresh: Refresh, make_app: MakeClient, settings: Any, days: int, alone: bool
) -> None:
    scope = f"{SCOPE} user/*.rs" if alone else SCOPE  # which patients a user sees is read for each request alone
    first = launch(make_app("secret", scope=scope), scope=scope)
    second = tokens_of_refresh(first, refresh(first))
    settings.SMARTAUTH_REFRESH_IDLE_SECONDS = days * 86_400

    third = tokens_of_refresh(second, refresh(second))

    kept = first["granted"].authorization.refresh_tokens.order_by("pk").values_list("kept_answer", flat=True)
    assert [bool(answer) for answer in kept] == [False, True, False]
    assert third["refresh_token"] != second["refresh_token"]


@pytest.mark.requirement("RF-05", "RF-04")
@pytest.mark.usefixtures("grace")
def test_after_the_grace_window_the_family_dies(launch: Issue, refresh: Refresh, introspect: Introspect) -> None:
    first = launch()
    second = tokens_of_refresh(first, refresh(first))
    RefreshToken.objects.filter(digest=sha256_hex(first["refresh_token"])).update(consumed_at=clock.now() - 30 * SECOND)

    response = refresh(first)

    assert_refused(response)
    assert introspect(second["access_token"]) == {"active": False}


@pytest.mark.requirement("RF-05", "E89")
@pytest.mark.usefixtures("grace")
def test_within_the_grace_window_another_client_gets_nothing(
    launch: Issue, refresh: Refresh, make_app: MakeClient
) -> None:
    first, thief = launch(), make_app()
    second = tokens_of_refresh(first, refresh(first))
    before = state(first["granted"])

    response = refresh(first, client_id=thief.client_id)

    assert_refused(response)
    assert state(first["granted"]) == before
    tokens_of_refresh(second, refresh(second))


@pytest.mark.requirement("RF-05", "RF-11")
@pytest.mark.usefixtures("grace")
def test_within_the_grace_window_what_was_ended_stays_ended(launch: Issue, refresh: Refresh, events: Events) -> None:
    first = launch()
    tokens_of_refresh(first, refresh(first))
    revoke(first)

    response = refresh(first)

    assert_refused(response)
    assert len(events("refresh-refused", client=first["granted"].client.client_id)) == 1
    assert events("refresh-repeated", client=first["granted"].client.client_id) == []


@pytest.mark.requirement("RF-05")
@pytest.mark.usefixtures("grace")
def test_the_sweep_forgets_kept_answers(launch: Issue, refresh: Refresh) -> None:
    from oauth.retention.sweeping import sweep

    first, other = launch(), launch()
    tokens_of_refresh(first, refresh(first))
    tokens_of_refresh(other, refresh(other))
    late = RefreshToken.objects.filter(digest=sha256_hex(first["refresh_token"]))
    late.update(consumed_at=clock.now() - 31 * SECOND)

    sweep()

    assert late.get().kept_answer == ""
    assert RefreshToken.objects.get(digest=sha256_hex(other["refresh_token"])).kept_answer


@pytest.mark.requirement("RF-08")
def test_the_sweep_deletes_refresh_tokens_long_expired(launch: Issue, refresh: Refresh) -> None:
    from oauth.retention.sweeping import sweep

    first = launch()
    second = tokens_of_refresh(first, refresh(first))
    RefreshToken.objects.filter(digest=sha256_hex(first["refresh_token"])).update(expires_at=clock.now() - 121 * DAY)

    sweep()

    assert [token.digest for token in first["granted"].authorization.refresh_tokens.all()] == [
        sha256_hex(second["refresh_token"])
    ]
    tokens_of_refresh(second, refresh(second))
