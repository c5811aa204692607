"""The refresh_token grant by the lines E86 to E94 of bad input, through the whole server on committed data."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from oauth.http.credentials import NO_CREDENTIALS, AuthenticatedClient
from oauth.models import Authorization, RefreshToken
from oauth.tokens.refresh_token import refresh_token
from oauth.tokens.unheard_commit import remember_attempt
from smart.digests import sha256_hex
from tests.conftest import App
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient
from tests.oauth.clients.assertion_client import request_of
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

# Who gets one ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("CG-07", "WF-08")
@pytest.mark.parametrize(
    ("scope", "grants", "given"),
    [
        pytest.param(SCOPE, "authorization_code refresh_token", True, id="offline_access"),
        pytest.param("patient/*.rs online_access", "authorization_code refresh_token", True, id="online_access"),
        pytest.param("launch/patient patient/*.rs", "authorization_code refresh_token", False, id="neither"),
        pytest.param(SCOPE, "authorization_code", False, id="client without the grant"),
    ],
)
def test_a_refresh_token_comes_only_with_offline_or_online_access(
    launch: Issue, make_app: MakeClient, scope: str, grants: str, given: bool
) -> None:
    answer = launch(make_app(grants=grants), scope=scope)

    assert ("refresh_token" in answer) is given
    assert answer["granted"].authorization.refresh_tokens.count() == given


@pytest.mark.requirement("TK-05", "SB-04")
def test_no_refresh_token_lies_in_the_database(launch: Issue, refresh: Refresh, settings: Any) -> None:
    from django.apps import apps

    settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 10
    first = launch()
    second = tokens_of_refresh(first, refresh(first))

    kept = [
        str(value)
        for model in (*apps.get_app_config("oauth").get_models(), *apps.get_app_config("audit").get_models())
        if model._meta.db_table != "audit_entry"
        for row in model._default_manager.values_list()
        for value in row
    ]
    for secret in (first["refresh_token"], second["refresh_token"], second["access_token"]):
        assert len(secret) >= 43
        assert not [value for value in kept if secret in value]


@pytest.mark.requirement("CG-08", "RF-10")
def test_no_id_token_comes_without_openid(launch: Issue, refresh: Refresh) -> None:
    answer = launch()

    assert "openid" not in answer["scope"]
    assert "id_token" not in answer
    assert "id_token" not in tokens_of_refresh(answer, refresh(answer))


# What it gives --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RF-03", "RF-06", "RF-09")
@pytest.mark.parametrize("authentication", ["none", "secret"])
def test_a_refresh_rotates_and_ends_the_older_access_token(
    launch: Issue, refresh: Refresh, introspect: Introspect, make_app: MakeClient, authentication: str
) -> None:
    first = launch(make_app(authentication))

    response = refresh(first)

    second = response.json()
    assert response.status_code == 200
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")
    assert set(second) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "patient"}
    assert (second["token_type"], second["expires_in"]) == ("Bearer", 300)
    assert (second["scope"], second["patient"]) == (SCOPE, "amy")
    assert second["refresh_token"] != first["refresh_token"]
    assert introspect(first["access_token"]) == {"active": False}
    assert introspect(second["access_token"])["patient"] == "amy"


@pytest.mark.requirement("RF-09", "LC-10")
def test_the_context_of_the_launch_stays_through_every_refresh(
    app: App, launch: Issue, refresh: Refresh, introspect: Introspect, grant: Grant, make_app: MakeClient
) -> None:
    context = {"patient": "amy", "encounter": "e1", "need_patient_banner": False, "intent": "percentiles"}
    granted = grant(make_app(), scope=SCOPE)
    Authorization.objects.filter(pk=granted.authorization.pk).update(context=json.dumps(context))
    answer = {**app.post("/o/token", data=granted.exchange()).json(), "granted": granted}

    for _ in range(3):
        answer = tokens_of_refresh(answer, refresh(answer))

    told = introspect(answer["access_token"])
    assert {name: answer[name] for name in context} == context
    assert {name: told[name] for name in context} == context


@pytest.mark.requirement("RF-02")
def test_narrowing_once_does_not_narrow_the_grant(launch: Issue, refresh: Refresh, introspect: Introspect) -> None:
    first = launch()

    narrow = tokens_of_refresh(first, refresh(first, scope="patient/Patient.rs"))
    again = tokens_of_refresh(narrow, refresh(narrow))

    assert narrow["scope"] == "patient/Patient.rs"
    assert again["scope"] == SCOPE
    assert introspect(again["access_token"])["scope"] == SCOPE


@pytest.mark.requirement("RF-02")
def test_a_narrowed_token_introspects_narrow(launch: Issue, refresh: Refresh, introspect: Introspect) -> None:
    first = launch()

    narrow = tokens_of_refresh(first, refresh(first, scope="patient/Patient.rs"))

    assert introspect(narrow["access_token"])["scope"] == "patient/Patient.rs"


@pytest.mark.requirement("WF-11")
def test_a_scope_asked_at_authorize_and_not_granted_is_ignored(launch: Issue, refresh: Refresh) -> None:
    first = launch()
    asked = f"{SCOPE} openid user/*.cruds"
    Authorization.objects.filter(pk=first["granted"].authorization.pk).update(requested_scope=asked)

    second = tokens_of_refresh(first, refresh(first, scope=asked))

    assert second["scope"] == SCOPE


@pytest.mark.requirement("RF-06", "PR-02")
def test_events_tell_of_the_refresh_and_what_it_superseded(launch: Issue, refresh: Refresh, events: Events) -> None:
    first = launch()

    tokens_of_refresh(first, refresh(first))

    client_id = first["granted"].client.client_id
    (issued,), (refreshed,) = events("issued", client=client_id), events("refreshed", client=client_id)
    (superseded,) = events("superseded", client=client_id)
    assert (superseded.token, superseded.reason) == (issued.token, f"by token {refreshed.token}")


# Who refreshes --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WF-01", "RF-01")
def test_a_public_client_is_found_by_its_refresh_token(launch: Issue, refresh: Refresh) -> None:
    first = launch()

    second = tokens_of_refresh(first, refresh(first, client_id=None))

    assert second["patient"] == "amy"


@pytest.mark.requirement("WF-01")
def test_nobody_is_found_by_a_token_that_is_unknown(launch: Issue, refresh: Refresh) -> None:
    first = launch()
    before = state(first["granted"])

    response = refresh(first, client_id=None, refresh_token="x" * 43)

    assert_refused(response)
    assert state(first["granted"]) == before


@pytest.mark.requirement("WF-01", "RF-01", "E50")
def test_a_confidential_client_is_not_believed_for_holding_the_token(
    app: App, launch: Issue, refresh: Refresh, make_app: MakeClient
) -> None:
    first = launch(make_app("secret"))
    before = state(first["granted"])

    response = app.post("/o/token", data={"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})

    assert_refused(response, 401, "invalid_client")
    assert state(first["granted"]) == before
    tokens_of_refresh(first, refresh(first))


@pytest.mark.requirement("E48", "RF-01")
def test_a_client_whose_refresh_grant_was_taken_away_is_refused(launch: Issue, refresh: Refresh) -> None:
    first = launch()
    client = first["granted"].client
    type(client).objects.filter(pk=client.pk).update(grants="authorization_code")
    before = state(first["granted"])

    response = refresh(first)

    assert_refused(response, 400, "unauthorized_client")
    assert state(first["granted"]) == before


# Refused, nothing changed: E84 to E93 ---------------------------------------------------------------------------------


@pytest.mark.requirement("E84", "CG-07")
def test_scope_and_aud_sent_at_the_exchange_widen_nothing(app: App, grant: Grant, make_app: MakeClient) -> None:
    granted = grant(make_app(), scope="launch/patient patient/Patient.rs")
    form = {**granted.exchange(), "scope": f"{SCOPE} patient/*.cruds", "aud": "https://other.example.org/fhir"}

    response = app.post("/o/token", data=form)

    assert response.status_code == 200
    assert response.json()["scope"] == "launch/patient patient/Patient.rs"
    assert "refresh_token" not in response.json()


@pytest.mark.requirement("E86")
@pytest.mark.parametrize("sent", [None, ""])
def test_a_refresh_needs_a_refresh_token(launch: Issue, refresh: Refresh, sent: str | None) -> None:
    first = launch()
    before = state(first["granted"])

    response = refresh(first, refresh_token=sent)

    assert_refused(response, 400, "invalid_request")
    assert state(first["granted"]) == before


def expired(answer: dict[str, Any]) -> None:
    RefreshToken.objects.filter(digest=sha256_hex(answer["refresh_token"])).update(expires_at=clock.now())


@pytest.mark.requirement("E87", "RF-08")
@pytest.mark.parametrize(
    ("spoil", "sent"),
    [
        pytest.param(None, "x" * 43, id="unknown"),
        pytest.param(None, "a.b.c", id="form of a JWT"),
        pytest.param(None, "\u00e4", id="not ASCII"),
        pytest.param(expired, None, id="expired"),
        pytest.param(revoke, None, id="revoked"),
    ],
)
def test_a_refresh_token_that_is_not_good_is_refused(
    launch: Issue, refresh: Refresh, spoil: Callable[[dict[str, Any]], None] | None, sent: str | None
) -> None:
    first = launch()
    if spoil:
        spoil(first)
    before = state(first["granted"])

    response = refresh(first, **({"refresh_token": sent} if sent else {}))

    assert_refused(response)
    assert state(first["granted"]) == before


@pytest.mark.requirement("E87", "RF-08", "RF-07")
@pytest.mark.parametrize("early", [0, 1])
def test_an_idle_refresh_token_dies_on_time(launch: Issue, refresh: Refresh, settings: Any, early: int) -> None:
    settings.SMARTAUTH_REFRESH_IDLE_SECONDS = 86_400
    first = launch()
    token = RefreshToken.objects.get(digest=sha256_hex(first["refresh_token"]))
    assert token.expires_at - token.issued_at == DAY
    moved = clock.now() + 10 * SECOND * early
    RefreshToken.objects.filter(pk=token.pk).update(expires_at=moved)

    response = refresh(first)

    assert response.status_code == (200 if early else 400)


@pytest.mark.requirement("RF-07")
@pytest.mark.parametrize(
    ("authentication", "application_type"),
    [pytest.param("secret", "web", id="confidential"), pytest.param("none", "native", id="native")],
)
def test_each_refresh_starts_three_months_anew(
    launch: Issue, refresh: Refresh, make_app: MakeClient, authentication: str, application_type: str
) -> None:
    first = launch(make_app(authentication, application_type=application_type))
    RefreshToken.objects.filter(digest=sha256_hex(first["refresh_token"])).update(
        launched_at=clock.now() - 1000 * DAY, expires_at=clock.now() + DAY
    )

    second = tokens_of_refresh(first, refresh(first))

    token = RefreshToken.objects.get(digest=sha256_hex(second["refresh_token"]))
    assert token.expires_at - token.issued_at >= 92 * DAY


@pytest.mark.requirement("RF-08")
def test_a_public_app_in_a_browser_refreshes_until_the_absolute_limit(launch: Issue, refresh: Refresh) -> None:
    first = launch()
    launched_at = clock.now() - 90 * DAY
    RefreshToken.objects.filter(digest=sha256_hex(first["refresh_token"])).update(launched_at=launched_at)

    second = tokens_of_refresh(first, refresh(first))

    token = RefreshToken.objects.get(digest=sha256_hex(second["refresh_token"]))
    assert token.expires_at == launched_at + 92 * DAY


@pytest.mark.requirement("E89", "RF-01")
@pytest.mark.parametrize("spent", [False, True])
def test_a_refresh_token_of_another_client_leaves_the_family_untouched(
    launch: Issue, refresh: Refresh, make_app: MakeClient, events: Events, spent: bool
) -> None:
    first, thief = launch(), make_app()
    live = tokens_of_refresh(first, refresh(first)) if spent else first
    before = state(first["granted"])

    response = refresh(first, client_id=thief.client_id)

    assert_refused(response)
    assert state(first["granted"]) == before
    (event,) = events("refresh-refused", client=first["granted"].client.client_id)
    assert thief.client_id in event.reason
    tokens_of_refresh(live, refresh(live))


@pytest.mark.requirement("E90", "IN-08", "WF-20")
def test_an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(
    app: App, launch: Issue, refresh: Refresh, introspect: Introspect
) -> None:
    first = launch()
    before = state(first["granted"])

    response = refresh(first, refresh_token=first["access_token"])

    assert_refused(response)
    assert introspect(first["refresh_token"]) == {"active": False}
    shown = app.get("/o/userinfo", headers={"Authorization": f"Bearer {first['refresh_token']}"})
    assert (shown.status_code, 'error="invalid_token"' in shown.headers["www-authenticate"]) == (401, True)
    assert state(first["granted"]) == before
    assert introspect(first["access_token"])["active"] is True


@pytest.mark.requirement("E91", "RF-02", "SCP-20")
@pytest.mark.parametrize(
    "scope",
    [
        pytest.param("patient/*.cruds", id="more letters"),
        pytest.param("patient/*.*", id="v1 respelling that widens"),
        pytest.param("patient/Patient.rs patient/Patient.write", id="one good and one wider"),
        pytest.param("user/*.rs", id="another context"),
        pytest.param("system/*.rs", id="system"),
        pytest.param("online_access", id="another plain scope"),
        pytest.param("no_such_scope", id="unknown"),
        pytest.param('patient/*.rs "', id="illegal character"),
    ],
)
def test_a_wider_scope_is_refused_and_the_token_stays_good(
    launch: Issue, refresh: Refresh, introspect: Introspect, scope: str
) -> None:
    first = launch()
    before = state(first["granted"])

    response = refresh(first, scope=scope)

    assert_refused(response, 400, "invalid_scope")
    assert state(first["granted"]) == before
    assert introspect(first["access_token"])["active"] is True
    tokens_of_refresh(first, refresh(first))


# Ended elsewhere ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-04", "E87")
@pytest.mark.parametrize("spent", [False, True])
def test_revoking_a_refresh_token_ends_the_grant(
    app: App, launch: Issue, refresh: Refresh, introspect: Introspect, spent: bool
) -> None:
    first = launch()
    second = tokens_of_refresh(first, refresh(first))
    named = first if spent else second

    app.post("/o/revoke", data={"token": named["refresh_token"], "client_id": first["granted"].client.client_id})

    assert introspect(second["access_token"]) == {"active": False}
    assert_refused(refresh(second))


@pytest.mark.requirement("CG-04", "E77")
def test_a_replayed_code_ends_the_refresh_tokens_that_came_from_it(app: App, launch: Issue, refresh: Refresh) -> None:
    first = launch()
    second = tokens_of_refresh(first, refresh(first))

    app.post("/o/token", data=first["granted"].exchange())

    assert_refused(refresh(second))


@pytest.mark.requirement("HI-08", "E42")
def test_a_refresh_token_whose_event_cannot_be_written_is_not_spent(
    launch: Issue, refresh: Refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = launch()

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    with monkeypatch.context() as broken:
        broken.setattr("oauth.tokens.issue.record_events", failing)
        broken.setattr("oauth.tokens.gathered_writes.Writes.record_events", failing)
        failed = refresh(first)

    assert failed.status_code == 500
    tokens_of_refresh(first, refresh(first))


@pytest.mark.requirement("RF-04")
def test_a_refresh_whose_answer_was_not_heard_is_answered_and_no_reuse(
    launch: Issue, refresh: Refresh, introspect: Introspect
) -> None:
    first = launch()
    second = tokens_of_refresh(first, refresh(first))
    own = first["granted"].client
    request = request_of(NO_CREDENTIALS, refresh_token=first["refresh_token"])
    answer = remember_attempt(request, {"access_token": second["access_token"]})

    assert refresh_token(request, AuthenticatedClient(own.pk, own.client_id, frozenset(), "none")) == answer
    assert introspect(second["access_token"])["active"] is True
