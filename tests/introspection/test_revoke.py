"""Revocation (RFC 7009, E109 to E114)."""

from typing import Any

import pytest
from django.db.models.expressions import RawSQL

from oauth.models import AccessToken, RefreshToken
from smart.digests import sha256_hex
from tests.conftest import ADDRESS, SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer


@pytest.mark.requirement("RV-01", "RV-02", "TV-05")
@pytest.mark.parametrize("authentication", ["none", "secret"])
def test_a_client_ends_its_token_at_once(
    app: App, issue: Issue, introspect: Introspect, make_client: MakeClient, authentication: str, events: Events
) -> None:
    client = make_client(authentication)
    answer = issue(client)
    form = {"token": answer["access_token"]}
    by_id = {"client_id": client.client_id} if authentication == "none" else {}
    headers = basic(client.client_id, SECRET) if authentication == "secret" else {}

    response = app.post("/o/revoke", data={**form, **by_id}, headers=headers)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["cache-control"] == "no-store"
    assert introspect(answer["access_token"]) == {"active": False}
    (event,) = events("revoked", client=client.client_id)
    assert (event.address, event.reference) == (ADDRESS, client.client_id)


@pytest.mark.requirement("RV-02", "E109")
@pytest.mark.parametrize(
    ("token", "hint"),
    [
        pytest.param("garbage", None, id="garbage"),
        pytest.param("a.b.c", "access_token", id="form of a JWT"),
        pytest.param("LIVE", "refresh_token", id="wrong hint"),
        pytest.param("LIVE", "no_such_kind", id="unknown hint"),
        pytest.param("DEAD", None, id="revoked before"),
    ],
)
def test_revoking_answers_200_whatever_the_token_and_hint(
    app: App, issue: Issue, introspect: Introspect, token: str, hint: str | None
) -> None:
    answer = issue()
    client_id = answer["granted"].client.client_id
    if token == "DEAD":
        app.post("/o/revoke", data={"token": answer["access_token"], "client_id": client_id})
    sent = answer["access_token"] if token in ("LIVE", "DEAD") else token
    form = {"token": sent, "client_id": client_id, **({"token_type_hint": hint} if hint else {})}

    response = app.post("/o/revoke", data=form)

    assert (response.status_code, response.content) == (200, b"")
    assert introspect(sent) == {"active": False}
    assert introspect(answer["access_token"])["active"] is (token not in ("LIVE", "DEAD"))


@pytest.mark.postgresql
@pytest.mark.requirement("E114", "RV-01")
@pytest.mark.parametrize(("kind", "table"), [("access_token", AccessToken), ("refresh_token", RefreshToken)])
def test_what_has_ended_before_is_written_again(
    app: App, issue: Issue, make_client: MakeClient, kind: str, table: Any
) -> None:
    """An earlier attempt may be known to this database alone: a commit that wrote nothing waits for no standby."""
    scope = "launch/patient patient/Patient.rs offline_access"
    client = make_client(grants="authorization_code refresh_token", scope=scope)
    token = issue(client, scope=scope)[kind]

    def writer() -> int:
        rows = table.objects.filter(digest=sha256_hex(token))
        found: int = rows.annotate(writer=RawSQL("xmin::text::bigint", [])).get().writer
        return found

    def revoke() -> int:
        answer = app.post("/o/revoke", data={"token": token, "client_id": client.client_id})
        return int(answer.status_code)

    assert revoke() == 200
    first = writer()
    assert revoke() == 200
    assert writer() > first


@pytest.mark.requirement("E110")
@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("GET", 405)])
def test_revocation_is_a_post_of_a_token(app: App, make_client: MakeClient, method: str, status: int) -> None:
    body = f"client_id={make_client().client_id}".encode()

    response = app.request(
        method, "/o/revoke", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")
    assert response.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.requirement("E111")
def test_bad_credentials_revoke_nothing(
    app: App, issue: Issue, introspect: Introspect, make_client: MakeClient
) -> None:
    answer = issue(make_client("secret"))
    client_id = answer["granted"].client.client_id

    response = app.post("/o/revoke", data={"token": answer["access_token"]}, headers=basic(client_id, "wrong"))

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["www-authenticate"] == 'Basic realm="smartauth"'
    assert introspect(answer["access_token"])["active"] is True


@pytest.mark.requirement("E112", "RV-03")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_stays_alive(
    app: App, issue: Issue, introspect: Introspect, make_client: MakeClient, kind: str
) -> None:
    scope = "patient/*.rs offline_access"
    client = make_client(grants="authorization_code refresh_token", scope=scope)
    answer = issue(client, scope=scope)

    response = app.post("/o/revoke", data={"token": answer[kind], "client_id": make_client().client_id})

    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
    assert introspect(answer["access_token"])["active"] is True
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": client.client_id}
    assert app.post("/o/token", data=form).status_code == 200


@pytest.mark.requirement("CL-02")
def test_a_resource_server_ends_tokens_of_its_base_and_of_no_other(
    app: App, issue: Issue, introspect: Introspect, make_resource_server: MakeResourceServer, other_fhir_server: Any
) -> None:
    answer = issue()
    foreign, own = make_resource_server(other_fhir_server), make_resource_server()

    refused = app.post("/o/revoke", data={"token": answer["access_token"]}, headers=basic(foreign.client_id, SECRET))
    assert introspect(answer["access_token"])["active"] is True
    form = {"token": answer["access_token"], "client_id": own.client_id, "client_secret": SECRET}
    ended = app.post("/o/revoke", data=form)

    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert ended.status_code == 200
    assert introspect(answer["access_token"]) == {"active": False}


@pytest.mark.requirement("RV-04")
def test_revoking_a_refresh_token_ends_the_whole_grant(app: App, issue: Issue, introspect: Introspect) -> None:
    from accounts import clock
    from oauth.models import RefreshToken
    from smart.digests import sha256_hex

    answer = issue()
    granted = answer["granted"]
    RefreshToken.objects.create(
        digest=sha256_hex("rt-" + granted.code),
        authorization=granted.authorization,
        authorization_epoch=0,
        issued_at=clock.now(),
        expires_at=clock.now() + 10**12,
    )

    response = app.post("/o/revoke", data={"token": "rt-" + granted.code, "client_id": granted.client.client_id})

    assert (response.status_code, response.content) == (200, b"")
    assert introspect(answer["access_token"]) == {"active": False}


def test_only_the_token_that_was_named_ends(
    app: App, issue: Issue, introspect: Introspect, make_client: MakeClient, make_person: MakePerson
) -> None:
    client = make_client()
    one, other = issue(client, make_person("amy")), issue(client, make_person("ben"))

    app.post("/o/revoke", data={"token": one["access_token"], "client_id": client.client_id})

    assert introspect(one["access_token"]) == {"active": False}
    assert introspect(other["access_token"])["active"] is True


@pytest.mark.requirement("RV-01", "HI-08")
def test_a_revocation_whose_event_cannot_be_written_has_not_happened(
    app: App, issue: Issue, introspect: Introspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = issue()

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    monkeypatch.setattr("oauth.ending.tokens.record_events", failing)
    monkeypatch.setattr("oauth.tokens.gathered_writes.Writes.record_events", failing)
    form = {"token": answer["access_token"], "client_id": answer["granted"].client.client_id}
    response = app.post("/o/revoke", data=form)

    assert response.status_code == 500
    assert introspect(answer["access_token"])["active"] is True
