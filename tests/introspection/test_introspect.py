"""What resource servers hear about tokens (RFC 7662, E104 to E108)."""

from typing import Any

import pytest
from joserfc import jwt

from accounts import clock
from oauth.keys import signing_keys
from oauth.models import AccessToken, public_reference
from smart.digests import sha256_hex
from tests.conftest import ADDRESS, BASE, SECRET, App, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakeResourceServer


@pytest.mark.requirement("IN-01", "IN-02", "IN-03", "IN-05", "TK-07")
def test_a_live_token_reports_what_it_allows(issue: Issue, introspect: Introspect) -> None:
    answer = issue()

    claims = introspect(answer["access_token"])

    granted = answer["granted"]
    assert claims.pop("exp") - claims.pop("iat") == answer["expires_in"] == 300
    assert claims == {
        "active": True,
        "token_type": "Bearer",
        "scope": answer["scope"],
        "client_id": granted.client.client_id,
        "aud": BASE,
        "iss": "http://127.0.0.1:8000",
        "sub": granted.person.subject,
        "patient": "amy",
    }


@pytest.mark.requirement("WF-18")
def test_credentials_in_the_body_without_accept_and_hint_work(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    form = {"token": issue()["access_token"], "client_id": make_resource_server().client_id, "client_secret": SECRET}

    response = app.post("/o/introspect", data=form, headers={"Accept": ""})

    assert response.json()["active"] is True
    assert response.headers["content-type"] == "application/json"


@pytest.mark.requirement("E104")
@pytest.mark.parametrize(
    ("secret", "form"),
    [
        pytest.param(None, {}, id="no credentials"),
        pytest.param("wrong", {}, id="wrong secret"),
        pytest.param("", {}, id="empty secret"),
        pytest.param(None, {"client_id": "nobody", "client_secret": "x"}, id="unknown client"),
    ],
)
def test_a_caller_that_does_not_prove_itself_hears_nothing(
    app: App, issue: Issue, make_resource_server: MakeResourceServer, secret: str | None, form: dict[str, str]
) -> None:
    caller = make_resource_server()
    headers = basic(caller.client_id, secret) if secret is not None else {}

    response = app.post("/o/introspect", data={"token": issue()["access_token"], **form}, headers=headers)

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["www-authenticate"] == 'Basic realm="smartauth"'
    assert "active" not in response.json()


@pytest.mark.requirement("E104")
def test_a_public_client_cannot_introspect_by_its_id_alone(app: App, issue: Issue, make_client: MakeClient) -> None:
    form = {"token": issue()["access_token"], "client_id": make_client().client_id}

    response = app.post("/o/introspect", data=form)

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.requirement("E106")
@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        pytest.param("GET", "", 405, id="GET"),
        pytest.param("POST", "", 400, id="token missing"),
        pytest.param("POST", "token=", 400, id="token empty"),
        pytest.param("POST", "token=a&token=b", 400, id="token twice"),
    ],
)
def test_introspection_is_a_post_of_one_token(
    app: App, make_resource_server: MakeResourceServer, method: str, body: str, status: int
) -> None:
    headers = {
        **basic(make_resource_server().client_id, SECRET),
        "Content-Type": "application/x-www-form-urlencoded",
    }

    response = app.request(method, "/o/introspect", content=body.encode(), headers=headers)

    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")
    assert response.headers["cache-control"] == "no-store"
    if status == 405:
        assert response.headers["allow"] == "POST"


@pytest.mark.requirement("E107", "IN-06", "IN-09")
@pytest.mark.parametrize(
    "end", ["expired", "in the future", "revoked", "authorization", "person", "client", "stopped", "disabled"]
)
def test_a_dead_token_is_inactive_and_says_no_more(issue: Issue, introspect: Introspect, end: str) -> None:
    from accounts.models import User
    from oauth.models import AccessToken, Authorization, Client

    answer = issue()
    granted = answer["granted"]
    token = AccessToken.objects.filter(authorization=granted.authorization)
    people, clients = (
        User.objects.get_queryset().filter(pk=granted.person.pk),
        Client.objects.filter(pk=granted.client.pk),
    )
    assert introspect(answer["access_token"])["active"] is True

    {
        "expired": lambda: token.update(expires_at=clock.now()),
        "in the future": lambda: token.update(issued_at=clock.now() + 60_000_000),
        "revoked": lambda: token.update(revoked_at=1),
        "authorization": lambda: Authorization.objects.filter(pk=granted.authorization.pk).end("taken back", now=1),
        "person": people.advance_epoch,
        "client": clients.advance_epoch,
        "stopped": lambda: people.update(suspended_at=1),
        "disabled": lambda: clients.update(enabled=0),
    }[end]()

    assert introspect(answer["access_token"]) == {"active": False}


@pytest.mark.requirement("E107")
@pytest.mark.parametrize(
    "garbage",
    ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "..", "é", "a" * 20_000, "eyJ.W10.x", "a.ImEi.b", "%", "\ud7ff"],
)
def test_garbage_is_inactive(introspect: Introspect, garbage: str) -> None:
    assert introspect(garbage) == {"active": False}


@pytest.mark.requirement("E107", "IN-06")
def test_a_caller_without_the_role_for_that_base_hears_what_it_hears_of_garbage(
    app: App,
    issue: Issue,
    make_client: MakeClient,
    make_resource_server: MakeResourceServer,
    other_fhir_server: Any,
    events: Events,
) -> None:
    token = issue()["access_token"]
    for caller in (make_resource_server(other_fhir_server), make_client("secret")):
        headers = basic(caller.client_id, SECRET)

        foreign = app.post("/o/introspect", data={"token": token}, headers=headers)
        garbage = app.post("/o/introspect", data={"token": "garbage"}, headers=headers)

        assert foreign.content == garbage.content == b'{"active":false}'
        assert foreign.status_code == garbage.status_code == 200
        (event,) = events("introspection-refused", client=caller.client_id)
        row = AccessToken.objects.get(digest=sha256_hex(token))
        assert (event.token, event.address) == (public_reference(row.pk), ADDRESS)
        assert event.reason == "the caller is no resource server of that FHIR server"


@pytest.mark.requirement("IN-08", "WF-20")
def test_a_refresh_token_or_code_reads_inactive(grant: Grant, introspect: Introspect) -> None:
    from oauth.models import RefreshToken
    from smart.digests import sha256_hex

    granted = grant()
    RefreshToken.objects.create(
        digest=sha256_hex("rt-" + granted.code),
        authorization=granted.authorization,
        authorization_epoch=0,
        issued_at=clock.now(),
        expires_at=clock.now() + 10**12,
    )

    assert introspect("rt-" + granted.code) == {"active": False}
    assert introspect(granted.code) == {"active": False}


def test_a_right_secret_is_answered_however_many_wrong_ones_came_before(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    caller, token = make_resource_server(), issue()["access_token"]

    wrong = [
        app.post("/o/introspect", data={"token": token}, headers=basic(caller.client_id, "guess")).status_code
        for _ in range(12)
    ]
    right = app.post("/o/introspect", data={"token": token}, headers=basic(caller.client_id, SECRET))

    assert wrong == [401] * 9 + [429] * 3
    assert right.json()["active"] is True


@pytest.mark.requirement("AT-04")
@pytest.mark.parametrize("end", ["revoked", "superseded"])
def test_a_jwt_whose_signature_is_still_good_is_dead_at_introspection(
    app: App, issue: Issue, introspect: Introspect, end: str
) -> None:
    answer = issue()
    client, person = answer["granted"].client, answer["granted"].person

    if end == "revoked":
        app.post("/o/revoke", data={"token": answer["access_token"], "client_id": client.client_id})
    else:
        issue(client, person)

    published = signing_keys.verification_keys(now=clock.now())
    assert jwt.decode(answer["access_token"], published, algorithms=["ES256"]).claims["patient"] == "amy"
    assert introspect(answer["access_token"]) == {"active": False}
