"""A connection that breaks after the commit: what was done is answered, not done again (RF-04, CG-04)."""

from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from oauth.clients import gathered_clients
from oauth.http.credentials import NO_CREDENTIALS
from oauth.tokens.unheard_commit import remember_attempt, unheard_answer
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient
from tests.oauth.clients.assertion_client import request_of
from tests.oauth.tokens.refresh_client import Refresh, tokens_of_refresh

can_be_lost = pytest.mark.postgresql  # a file's connection is never lost


@pytest.fixture
def lose_a_commit(app: App, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The next transaction of a writer that issues a token is committed, then its connection is gone."""
    original = transaction.Atomic.__exit__
    lost: list[str] = []

    def leave(self: Any, *raised: Any) -> None:
        original(self, *raised)
        connection = connections["default"]
        if lost and not connection.in_atomic_block and raised[0] is None:
            lost.clear()
            connection.close()
            raise OperationalError("the connection is lost")

    def lose() -> None:
        lost.append("once")

    monkeypatch.setattr(transaction.Atomic, "__exit__", leave)
    return lose


@pytest.fixture(autouse=True)
def everything_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on SQLite: also what would be gathered."""

    async def none(*_: Any) -> None:
        return None

    monkeypatch.setattr(gathered_clients, "gathered_answer", none)


@can_be_lost
@pytest.mark.requirement("RF-04")
def test_a_refresh_is_answered_and_its_family_lives(
    launch: Issue, refresh: Refresh, introspect: Introspect, events: Events, lose_a_commit: Any
) -> None:
    first = launch()
    lose_a_commit()

    second = tokens_of_refresh(first, refresh(first))

    assert introspect(second["access_token"])["active"] is True
    client_id = first["granted"].client.client_id
    assert (len(events("refreshed", client=client_id)), events("refresh-reused", client=client_id)) == (1, [])
    tokens_of_refresh(second, refresh(second))


@can_be_lost
@pytest.mark.requirement("CG-04", "E77")
def test_a_code_exchange_is_answered_and_what_it_bought_lives(
    app: App, grant: Grant, introspect: Introspect, events: Events, lose_a_commit: Any
) -> None:
    made = grant()
    lose_a_commit()

    response = app.post("/o/token", data=made.exchange())

    assert response.status_code == 200
    assert introspect(response.json()["access_token"])["active"] is True
    assert events("code-replayed", client=made.client.client_id) == []


@can_be_lost
def test_client_credentials_give_one_token(
    app: App, make_client: MakeClient, events: Events, lose_a_commit: Any
) -> None:
    fields = {"grants": "client_credentials", "redirect_uris": "", "scope": "system/*.rs", "backend_by_secret": 1}
    service = make_client("secret", **fields)
    form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    lose_a_commit()

    response = app.post("/o/token", data=form, headers=basic(service.client_id, SECRET))

    assert response.status_code == 200
    assert len(events("issued", client=service.client_id)) == 1


@pytest.mark.requirement("RF-04", "CG-04")
def test_an_earlier_attempt_is_answered_where_its_token_is_there_and_only_there(issue: Issue) -> None:
    request, token = request_of(NO_CREDENTIALS), issue()["access_token"]

    never_tried = unheard_answer(request)
    remember_attempt(request, {"access_token": "not-committed"})
    in_vain = unheard_answer(request)
    answer = remember_attempt(request, {"access_token": token})

    assert (never_tried, in_vain) == (None, None)
    assert unheard_answer(request) == answer
