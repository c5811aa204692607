"""Who introspects with an access token of their own (RFC 7662, IN-07, E105)."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from introspection import batched_lookup
from tests.conftest import ADDRESS, SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient

SCOPE = "__smartauth.introspect"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def caller(issue: Issue) -> dict[str, Any]:
    """A token answer with the scope for introspection."""
    return issue(scope=SCOPE)


@pytest.mark.requirement("IN-07")
def test_a_token_with_the_scope_may_ask_about_tokens_of_any_client_at_its_base(
    app: App, issue: Issue, caller: dict[str, Any], introspect: Introspect
) -> None:
    asked = issue(patient="ben")

    answer = app.post("/o/introspect", data={"token": asked["access_token"]}, headers=bearer(caller["access_token"]))

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == introspect(asked["access_token"])
    assert answer.json()["patient"] == "ben"


@pytest.mark.requirement("IN-07")
def test_a_backend_service_gets_such_a_token_by_its_own_credentials(
    app: App, issue: Issue, make_client: MakeClient
) -> None:
    service = make_client("secret", grants="client_credentials", backend_by_secret=1, scope=SCOPE, redirect_uris="")
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    own = app.post("/o/token", data=form, headers=basic(service.client_id, SECRET)).json()
    token = issue()["access_token"]

    answer = app.post("/o/introspect", data={"token": token}, headers=bearer(own["access_token"]))

    assert own["scope"] == SCOPE
    assert answer.json()["active"] is True


@pytest.mark.requirement("E108")
def test_a_token_with_the_scope_may_ask_about_itself(app: App, caller: dict[str, Any]) -> None:
    token = caller["access_token"]

    answer = app.post("/o/introspect", data={"token": token}, headers=bearer(token))

    assert (answer.json()["active"], answer.json()["scope"]) == (True, SCOPE)


@pytest.mark.requirement("E105")
@pytest.mark.parametrize("scope", ["patient/*.rs", f"{SCOPE}.not patient/*.rs"])
def test_a_token_without_the_scope_hears_nothing(app: App, issue: Issue, scope: str) -> None:
    token = issue(scope=scope)["access_token"]

    answer = app.post("/o/introspect", data={"token": token}, headers=bearer(token))

    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert (
        answer.headers["www-authenticate"] == f'Bearer realm="smartauth", error="insufficient_scope", scope="{SCOPE}"'
    )
    assert answer.headers["cache-control"] == "no-store"
    assert "active" not in answer.json()


@pytest.mark.requirement("E104", "E108")
@pytest.mark.parametrize("fault", ["unknown", "expired", "revoked", "ended", "disabled"])
def test_a_token_that_is_unknown_or_dead_hears_nothing(
    app: App, issue: Issue, caller: dict[str, Any], fault: str
) -> None:
    from oauth.models import AccessToken, Authorization, Client

    token, granted, asked = caller["access_token"], caller["granted"], issue()["access_token"]
    own = AccessToken.objects.filter(authorization=granted.authorization)
    ends: dict[str, Callable[[], object]] = {
        "unknown": lambda: None,
        "expired": lambda: own.update(expires_at=clock.now()),
        "revoked": lambda: own.update(revoked_at=1),
        "ended": lambda: Authorization.objects.filter(pk=granted.authorization.pk).end("person", now=1),
        "disabled": Client.objects.filter(pk=granted.client.pk).disable,
    }
    ends[fault]()
    shown = f"{token}x" if fault == "unknown" else token

    answer = app.post("/o/introspect", data={"token": asked}, headers=bearer(shown))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="smartauth", error="invalid_token"'
    assert answer.headers["cache-control"] == "no-store"
    assert "active" not in answer.json()


@pytest.mark.requirement("IN-07", "E107")
def test_a_token_of_another_base_hears_what_it_hears_of_garbage(
    app: App, issue: Issue, caller: dict[str, Any], other_fhir_server: Any, events: Events
) -> None:
    granted = issue(server=other_fhir_server)
    foreign, row = granted["access_token"], granted["granted"].authorization
    headers = bearer(caller["access_token"])

    answers = [app.post("/o/introspect", data={"token": each}, headers=headers) for each in (foreign, "garbage")]

    assert [answer.content for answer in answers] == [b'{"active":false}'] * 2
    (event,) = events("introspection-refused", client=caller["granted"].client.client_id)
    assert (event.token, event.address) == (str(row.access_tokens.get()), ADDRESS)
    assert event.reason == "the caller is no resource server of that FHIR server"


@pytest.mark.requirement("TK-10", "E58")
def test_guesses_of_tokens_are_counted_and_a_right_one_is_answered_however_many_came_before(
    app: App, caller: dict[str, Any], settings: Any
) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    here = {"X-Forwarded-For": f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"}

    def asked(token: str) -> Any:
        return app.post("/o/introspect", data={"token": "garbage"}, headers={**bearer(token), **here})

    wrong = [asked(secrets.token_hex(16)) for _ in range(12)]
    right = asked(caller["access_token"])

    assert [answer.status_code for answer in wrong] == [401] * 9 + [429] * 3
    assert int(wrong[-1].headers["retry-after"]) > 0
    assert right.json() == {"active": False}


def test_a_token_that_was_good_once_is_no_guess(app: App, caller: dict[str, Any], issue: Issue) -> None:
    from oauth.models import AccessToken

    AccessToken.objects.filter(authorization=caller["granted"].authorization).update(expires_at=1)

    answers = [
        app.post("/o/introspect", data={"token": "x"}, headers=bearer(caller["access_token"])) for _ in range(12)
    ]

    assert [answer.status_code for answer in answers] == [401] * 12


@pytest.mark.requirement("IN-07")
@pytest.mark.parametrize("path", ["/o/token", "/o/revoke"])
def test_at_the_other_endpoints_an_access_token_proves_no_client(
    app: App, caller: dict[str, Any], path: str, introspect: Introspect
) -> None:
    form = {"token": caller["access_token"], "grant_type": "client_credentials"}

    answer = app.post(path, data=form, headers=bearer(caller["access_token"]))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert introspect(caller["access_token"])["active"] is True


@pytest.mark.requirement("E106")
def test_a_bearer_caller_too_names_a_token(app: App, caller: dict[str, Any]) -> None:
    answer = app.post("/o/introspect", data={}, headers=bearer(caller["access_token"]))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_bearer_caller_costs_one_statement_for_both_tokens(
    app: App, caller: dict[str, Any], issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, batches, find = issue()["access_token"], list[int](), batched_lookup.BatchedLookup._answer

    async def counted(self: batched_lookup.BatchedLookup, batch: list[batched_lookup.Waiting]) -> None:
        batches.append(len(batch))
        await find(self, batch)

    monkeypatch.setattr(batched_lookup.BatchedLookup, "_answer", counted)

    app.post("/o/introspect", data={"token": asked}, headers=bearer(caller["access_token"]))

    assert batches == [2]
