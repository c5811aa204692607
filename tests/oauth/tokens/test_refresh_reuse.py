"""A refresh token used twice ends its family (RF-04, E88), outside the grace window of test_refresh_grace.py."""

from dataclasses import replace
from typing import Any

import pytest

from oauth.models import Authorization
from oauth.tokens import refresh_reuse, refresh_token
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson
from tests.oauth.tokens.refresh_client import SCOPE, Refresh, assert_refused, revoke, state, tokens_of_refresh


@pytest.mark.requirement("E88", "RF-04")
@pytest.mark.parametrize("authentication", ["none", "secret"])
def test_a_refresh_token_used_again_ends_the_whole_family(
    launch: Issue, refresh: Refresh, introspect: Introspect, make_app: MakeClient, authentication: str, events: Events
) -> None:
    first = launch(make_app(authentication))
    second = tokens_of_refresh(first, refresh(first))

    response = refresh(first)

    assert_refused(response)
    assert introspect(second["access_token"]) == {"active": False}
    authorization = Authorization.objects.get(pk=first["granted"].authorization.pk)
    assert (authorization.epoch, authorization.ended_for) == (1, "reused")
    assert len(events("refresh-reused", client=first["granted"].client.client_id)) == 1
    assert events("refresh-refused", client=first["granted"].client.client_id) == []
    assert_refused(refresh(second))


@pytest.mark.requirement("E88", "WF-01")
def test_a_reused_token_ends_the_family_also_without_client_id(
    launch: Issue, refresh: Refresh, introspect: Introspect
) -> None:
    first = launch()
    second = tokens_of_refresh(first, refresh(first))

    response = refresh(first, client_id=None)

    assert_refused(response)
    assert introspect(second["access_token"]) == {"active": False}


@pytest.mark.requirement("E88", "RF-04")
def test_a_family_ends_once_and_other_families_live_on(
    launch: Issue,
    refresh: Refresh,
    introspect: Introspect,
    make_app: MakeClient,
    make_person: MakePerson,
    events: Events,
) -> None:
    client = make_app()
    first, other = launch(client), launch(client, make_person("ben"), patient="ben")
    second = tokens_of_refresh(first, refresh(first))

    for spent in (first, first, second):
        assert_refused(refresh(spent))

    assert len(events("refresh-reused", client=client.client_id)) == 1
    assert introspect(other["access_token"])["active"] is True
    tokens_of_refresh(other, refresh(other))


@pytest.mark.requirement("RF-04", "SD-20")
def test_where_something_else_ends_the_family_at_that_moment_the_reuse_is_a_plain_refusal(
    launch: Issue, refresh: Refresh, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    first = launch()
    tokens_of_refresh(first, refresh(first))

    def end_first(*_: Any) -> bool:
        revoke(first)
        return False

    monkeypatch.setattr(refresh_reuse, "_may_be_repeated", end_first)
    response = refresh(first)

    assert_refused(response)
    client_id = first["granted"].client.client_id
    assert [event.reason for event in events("refresh-refused", client=client_id)] == ["the authorization has ended"]
    assert events("refresh-reused", client=client_id) == []


@pytest.mark.requirement("RF-04")
def test_a_token_that_is_found_unused_after_all_ends_nothing_and_may_be_tried_again(
    launch: Issue, refresh: Refresh, make_app: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looked for it to use it has missed its row."""
    scope = f"{SCOPE} user/*.rs"  # such a request goes alone
    first = launch(make_app("secret", scope=scope), scope=scope)
    before, consume = state(first["granted"]), refresh_token._CONSUME

    with monkeypatch.context() as missed:
        text = consume.text.replace("consumed_at = 0", "consumed_at < 0")
        missed.setattr(refresh_token, "_CONSUME", replace(consume, text=text))
        response = refresh(first)

    assert_refused(response, 503, "temporarily_unavailable")
    assert state(first["granted"]) == before
    tokens_of_refresh(first, refresh(first))
