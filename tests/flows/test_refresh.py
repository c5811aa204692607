"""Refreshing as people bring it about: they allow it, they sign out, somebody else sits down."""

import json
from typing import Any

import httpx
import pytest

from accounts import clock
from oauth.models import Authorization, Launch
from smart.digests import random_token, sha256_hex
from tests.conftest import REDIRECT_URI, VERIFIER, App
from tests.fixture_types import Events, Introspect, MakeClient, MakePerson
from tests.oauth.visitor import Visitor, line_number, redirect_query

SCOPE = "launch launch/patient patient/*.rs offline_access online_access"


@pytest.fixture
def client(make_client: MakeClient) -> Any:
    return make_client(scope=SCOPE, grants="authorization_code refresh_token")


@pytest.fixture
def green(make_person: MakePerson) -> Any:
    return make_person("amy", is_="Practitioner/dr-test")


@pytest.fixture
def amy(make_person: MakePerson) -> Any:
    return make_person("amy")


@pytest.fixture
def visitor(app: App) -> Visitor:
    return Visitor(app)


@pytest.fixture
def online(visitor: Visitor, app: App, client: Any, green: Any, fhir_server: Any) -> dict[str, Any]:
    """What the app got by a launch from the EHR with online_access; the visitor is still signed in."""
    handle = random_token()
    Launch.objects.create(
        client=client,
        fhir_server=fhir_server,
        user=green,
        digest=sha256_hex(handle),
        context=json.dumps({"patient": "amy"}),
        expires_at=clock.now() + 300_000_000,
    )
    page = visitor.reach_consent(client, green, launch=handle, scope="launch patient/*.rs online_access")
    return exchanged(app, client, visitor.allow(page, **{"ask-time": line_number(page, "As long as I am signed in")}))


@pytest.fixture
def offline(visitor: Visitor, app: App, client: Any, amy: Any) -> dict[str, Any]:
    """What the app got by a launch of its own with offline_access."""
    page = visitor.reach_consent(client, amy, scope="launch/patient patient/*.rs offline_access patient/*.cruds")
    return exchanged(app, client, visitor.allow(page, **{"ask-time": line_number(page, "Until I take it back")}))


def exchanged(app: App, client: Any, response: httpx.Response) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "code": redirect_query(response)["code"], "redirect_uri": REDIRECT_URI}
    found = app.post("/o/token", data={**form, "code_verifier": VERIFIER, "client_id": client.client_id})
    assert found.status_code == 200, found.text
    told: dict[str, Any] = found.json()
    return told


def refresh(app: App, told: dict[str, Any], **changes: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"], **changes}
    return app.post("/o/token", data=form)


def leave(visitor: Visitor, path: str = "/logout") -> None:
    page = visitor.request("GET", "/sessions")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    visitor.request("POST", path, data={"csrfmiddlewaretoken": token})


@pytest.mark.requirement("E92", "SCP-17", "RF-08")
@pytest.mark.parametrize("path", ["/logout", "/admin/logout/"])
def test_online_access_refreshes_until_the_person_signs_out(
    app: App, visitor: Visitor, online: dict[str, Any], introspect: Introspect, path: str, events: Events, client: Any
) -> None:
    second = refresh(app, online)
    leave(visitor, path)

    response = refresh(app, second.json())

    assert second.status_code == 200
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert introspect(second.json()["access_token"]) == {"active": False}
    authorization = Authorization.objects.get(client=client)
    assert authorization.ended_for == "signed-out"
    (event,) = events("authorization-ended", client=client.client_id)
    assert event.reason == "signed-out"


@pytest.mark.requirement("E92", "SCP-17")
def test_online_access_ends_when_somebody_else_signs_in(
    app: App, visitor: Visitor, online: dict[str, Any], make_person: MakePerson
) -> None:
    visitor.sign_in(visitor.request("GET", "/login"), make_person("ben"))

    response = refresh(app, online)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@pytest.mark.requirement("E92")
def test_online_access_survives_that_the_same_person_signs_in_again(
    app: App, visitor: Visitor, online: dict[str, Any], green: Any
) -> None:
    visitor.sign_in(visitor.request("GET", "/login"), green)

    assert refresh(app, online).status_code == 200


@pytest.mark.requirement("SCP-17", "RF-08")
def test_online_access_lives_no_longer_than_its_session(client: Any, online: dict[str, Any]) -> None:
    from django.contrib.sessions.models import Session

    authorization = Authorization.objects.get(client=client)
    session = Session.objects.get(sign_in__user=authorization.user)

    token = authorization.refresh_tokens.get()

    assert token.expires_at == authorization.session_ends_at
    assert abs(token.expires_at - session.expire_date.timestamp() * 1_000_000) < 1_000_000
    assert online["scope"].split()[-1] == "online_access"


@pytest.mark.requirement("SCP-17", "WF-08")
def test_offline_access_survives_signing_out(app: App, visitor: Visitor, offline: dict[str, Any]) -> None:
    leave(visitor)

    response = refresh(app, offline)

    assert response.status_code == 200
    assert "offline_access" in response.json()["scope"].split()


@pytest.mark.requirement("WF-11", "RF-02")
def test_an_app_may_repeat_what_it_asked_for_and_did_not_get(app: App, offline: dict[str, Any]) -> None:
    asked = "launch/patient patient/*.rs offline_access patient/*.cruds"

    response = refresh(app, offline, scope=asked)

    assert response.status_code == 200
    assert set(response.json()["scope"].split()) == {"launch/patient", "patient/*.rs", "offline_access"}


@pytest.mark.requirement("CG-07", "WF-08")
def test_a_person_who_allows_no_more_than_now_gives_no_refresh_token(
    app: App, visitor: Visitor, client: Any, amy: Any
) -> None:
    page = visitor.reach_consent(client, amy, scope="launch/patient patient/*.rs offline_access")

    told = exchanged(app, client, visitor.allow(page, **{"ask-time": line_number(page, "Only now")}))

    assert "refresh_token" not in told
    assert "offline_access" not in told["scope"].split()


@pytest.mark.requirement("RF-11", "SCP-20")
def test_a_person_who_is_somebody_else_since_then_cannot_refresh(app: App, offline: dict[str, Any], amy: Any) -> None:
    amy.identities.update(resource="RelatedPerson/amy")

    response = refresh(app, offline)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
