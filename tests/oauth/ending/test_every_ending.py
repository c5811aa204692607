"""Wherever access is ended, the same follows: tokens, refresh tokens and waiting consent pages are dead when the answer
arrives, and the trail says which token ended, why, and who ended it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from accounts.models import User
from oauth.models import AccessToken, Authorization, PatientRecord, PendingRequest, RefreshToken
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer, MakeVisitor
from tests.oauth.visitor import PASSWORD, Visitor
from tests.operators.admin.conftest import Operator

SCOPE = "launch/patient patient/*.rs offline_access"
NEW = "a new long pass phrase 7"


@dataclass
class World:
    """A person with an app that has access, a consent page of the same app that waits, and everybody who may end it."""

    app: App
    answer: dict[str, Any]
    client: Any
    person: Any
    patient: str
    phone: Visitor
    page: httpx.Response
    operator: Operator
    resource_server: Any

    @property
    def authorization(self) -> Authorization:
        row: Authorization = self.answer["granted"].authorization
        row.refresh_from_db()
        return row

    @property
    def token(self) -> AccessToken:
        return AccessToken.objects.get(digest=sha256_hex(self.answer["access_token"]))

    @property
    def refresh_row(self) -> RefreshToken:
        return RefreshToken.objects.get(digest=sha256_hex(self.answer["refresh_token"]))

    def post(self, path: str, client: Any = None, **form: str) -> httpx.Response:
        who = client or self.client
        response: httpx.Response = self.app.post(path, data=form, headers=basic(who.client_id, SECRET))
        return response

    def send_json(self, path: str, **body: Any) -> None:
        headers = {"Content-Type": "application/json", **basic(self.resource_server.client_id, SECRET)}
        assert self.app.post(path, content=json.dumps(body), headers=headers).status_code in {200, 204}

    def as_operator(self, **body: Any) -> None:
        response = self.operator.browser.post("/o/invalidate", json.dumps(body), content_type="application/json")
        assert response.status_code == 200, response.content

    def refresh(self, **headers: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": self.answer["refresh_token"]}
        known = basic(self.client.client_id, SECRET)
        response: httpx.Response = self.app.post("/o/token", data=form, headers={**known, **headers})
        return response

    def own_page(self, path: str, **fields: str) -> None:
        """A form of a page of ours, sent by the person from another browser."""
        laptop = Visitor(self.app)
        laptop.sign_in(laptop.request("GET", "/login"), self.person)
        assert laptop.send(laptop.request("GET", path), **fields).status_code == 303

    def take_back(self) -> None:
        laptop = Visitor(self.app)
        laptop.sign_in(laptop.request("GET", "/login"), self.person)
        page = laptop.request("GET", "/apps/end-all").text
        form = {"csrfmiddlewaretoken": page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
        assert laptop.request("POST", f"/apps/{self.authorization}/end", data=form).status_code == 303

    def reuse_refresh_token(self) -> None:
        first = self.answer["refresh_token"]
        self.answer |= self.refresh().json()
        RefreshToken.objects.filter(digest=sha256_hex(first)).update(consumed_at=1)
        form = {"grant_type": "refresh_token", "refresh_token": first}
        assert self.post("/o/token", **form).status_code == 400

    def move(self) -> None:
        type(self.client).objects.filter(pk=self.client.pk).update(address_policy="end")
        assert self.refresh(**{"X-Forwarded-For": "198.51.100.9"}).status_code == 400


@pytest.fixture
def world(
    app: App, issue: Issue, make_client: MakeClient, make_person: MakePerson, make_resource_server: MakeResourceServer,
    make_visitor: MakeVisitor, settings: Any,
) -> World:  # fmt: skip
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    client = make_client("secret", grants="authorization_code refresh_token", scope=SCOPE)
    patient = f"p-{client.pk}"
    person, phone = make_person(patient), make_visitor()
    answer = issue(client, person, patient=patient, scope=SCOPE)
    page = phone.reach_consent(client, person, scope=SCOPE, prompt="consent")
    return World(app, answer, client, person, patient, phone, page, Operator(), make_resource_server())


def end_by(table: str, action: str, row: Callable[[World], Any]) -> Callable[[World], Any]:
    return lambda world: world.operator.confirm(table, action, row(world))


def person_of(world: World) -> Any:
    return User.objects.get(pk=world.person.pk)


ENDINGS: dict[str, tuple[Callable[[World], Any], str, str]] = {
    "operator: person": (end_by("accounts/user", "end_access", person_of), "person-ended", "person-ended"),
    "operator: suspend": (end_by("accounts/user", "suspend", person_of), "person-stopped", "person-stopped"),
    "operator: client": (end_by("oauth/client", "end_access", lambda w: w.client), "client-ended", "client-ended"),
    "operator: disable": (end_by("oauth/client", "disable", lambda w: w.client), "client-disabled", "client-disabled"),
    "operator: FHIR server": (
        end_by("oauth/fhirserver", "end_access", lambda w: w.authorization.fhir_server),
        "fhir-server-ended", "fhir-server-ended",
    ),
    "operator: authorization": (
        end_by("oauth/authorization", "end", lambda w: w.authorization), "authorization-ended", "operator",
    ),
    "operator: authorization of a token": (
        end_by("oauth/accesstoken", "end_authorizations", lambda w: w.token), "authorization-ended", "operator",
    ),
    "operator: authorization of a refresh token": (
        end_by("oauth/refreshtoken", "end_authorizations", lambda w: w.refresh_row), "authorization-ended", "operator",
    ),
    "operator: patient record": (
        end_by("oauth/patientrecord", "end_access", lambda w: PatientRecord.objects.get(patient=w.patient)),
        "authorization-ended", "operator",
    ),
    "operator: new password": (
        lambda w: w.operator.post(
            f"accounts/user/{w.person.pk}/password/",
            {"password1": NEW, "password2": NEW, "usable_password": "true"},
        ),
        "password-changed", "password-changed",
    ),
    "/o/invalidate: person": (lambda w: w.as_operator(sub=w.person.subject), "person-ended", "person-ended"),
    "/o/invalidate: client": (lambda w: w.as_operator(client_id=w.client.client_id), "client-ended", "client-ended"),
    "/o/invalidate: lock": (
        lambda w: w.as_operator(sub=w.person.subject, lock="operator"), "person-stopped", "person-stopped",
    ),
    "/o/invalidate: person and client": (
        lambda w: w.as_operator(sub=w.person.subject, client_id=w.client.client_id), "authorization-ended", "operator",
    ),
    "/o/invalidate: patient, by a FHIR server": (
        lambda w: w.send_json("/o/invalidate", patient=w.patient, aud=w.authorization.fhir_server.base),
        "authorization-ended", "invalidated",
    ),
    "/o/invalidate: authorization, by a FHIR server": (
        lambda w: w.send_json("/o/invalidate", authorization=str(w.authorization)),
        "authorization-ended", "invalidated",
    ),
    "/o/report: too much": (
        lambda w: w.send_json("/o/report", token=w.answer["access_token"], status=403, count=30),
        "authorization-ended", "refusals",
    ),
    "/o/revoke: refresh token": (
        lambda w: w.post("/o/revoke", token=w.answer["refresh_token"]), "authorization-ended", "revoked",
    ),
    "/o/revoke: refresh token, by a FHIR server": (
        lambda w: w.post("/o/revoke", w.resource_server, token=w.answer["refresh_token"]),
        "authorization-ended", "revoked",
    ),
    "token: code replayed": (
        lambda w: w.post("/o/token", **{
            name: value for name, value in w.answer["granted"].exchange().items() if name != "client_id"
        }),
        "code-replayed", "replayed",
    ),
    "token: refresh token reused": (World.reuse_refresh_token, "refresh-reused", "reused"),
    "token: another address": (World.move, "address-changed", "address-changed"),
    "/apps: one": (World.take_back, "access-taken-back", "person"),
    "/apps: everything": (lambda w: w.own_page("/apps/end-all"), "access-taken-back", "person"),
    "/password": (
        lambda w: w.own_page("/password", current=PASSWORD, new=NEW, again=NEW), "password-changed", "password-changed",
    ),
    "manage.py password": (lambda w: set_password(w), "password-changed", "password-changed"),
}  # fmt: skip


def set_password(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{NEW}\n"))
        call_command("password", world.person.username, "--set", stdout=io.StringIO())


def who_ends(name: str, world: World) -> tuple[str, str, bool]:
    """The operator and the client that the events of an ending name, and whether they name an address."""
    if name.endswith("by a FHIR server") or name == "/o/report: too much":
        return "", world.resource_server.client_id, True
    if name.startswith(("operator", "/o/invalidate")):
        return world.operator.user.subject, "", True
    if name == "manage.py password":
        return "manage.py", "", False
    return "", world.client.client_id if name.startswith("/o/revoke") else "", True


@pytest.mark.requirement("SD-05", "RV-08", "RV-09")
@pytest.mark.parametrize("name", ENDINGS)
def test_every_ending_ends_the_same(world: World, introspect: Introspect, events: Events, name: str) -> None:
    end, kind, reason = ENDINGS[name]
    assert introspect(world.answer["access_token"])["active"] is True

    end(world)

    row = world.authorization
    assert introspect(world.answer["access_token"]) == {"active": False}
    assert world.refresh().status_code in {400, 401}
    assert "code=" not in world.phone.allow(world.page).headers.get("Location", "")
    assert not PendingRequest.objects.filter(client=world.client, answered_at=0).exists()
    assert (row.ended_for, row.ended_at > 0) == (reason, True)
    named = {"client": world.client.client_id, "person": world.person.subject, "fhir_server": row.fhir_server.base}
    told = [event for event in events(kind) if all(getattr(event, key) in {"", is_} for key, is_ in named.items())]
    assert told, f"no event {kind}"
    assert (told[-1].operator, told[-1].reference, told[-1].address != "") == who_ends(name, world)
    if reason not in {"client-ended", "client-disabled", "fhir-server-ended"}:
        (event,) = events("access-taken-back" if reason == "person" else "authorization-ended", authorization=str(row))
        assert {key: getattr(event, key) for key in named} == named
        assert (event.operator, event.reference, event.address != "") == who_ends(name, world)
        assert (event.patient, event.token) == (world.patient, str(world.token))
        assert event.reason in {reason, "everything"}


TOKEN_ENDINGS: dict[str, tuple[Callable[[World], Any], str]] = {
    "operator": (end_by("oauth/accesstoken", "end", lambda w: w.token), "operator"),
    "/o/revoke": (lambda w: w.post("/o/revoke", token=w.answer["access_token"]), "revoked"),
    "/o/revoke, by a FHIR server": (
        lambda w: w.post("/o/revoke", w.resource_server, token=w.answer["access_token"]), "revoked",
    ),
    "a changed copy": (
        lambda w: w.post("/o/introspect", w.resource_server, token=w.answer["access_token"][:-4] + "AAAA"), "tampered",
    ),
}  # fmt: skip


@pytest.mark.requirement("RV-01", "RV-08", "SD-07")
@pytest.mark.parametrize(("end", "reason"), TOKEN_ENDINGS.values(), ids=TOKEN_ENDINGS)
def test_one_token_ends_and_its_authorization_goes_on(
    world: World, introspect: Introspect, events: Events, end: Callable[[World], Any], reason: str
) -> None:
    token, row = world.token, world.authorization

    end(world)

    assert introspect(world.answer["access_token"]) == {"active": False}
    token.refresh_from_db()
    assert (token.revoked_for, world.authorization.ended_at) == (reason, 0)
    (event,) = events("revoked", token=str(token))
    assert (event.reason, event.authorization, event.person, event.patient, event.client, event.fhir_server) == (
        reason, str(row), world.person.subject, world.patient, world.client.client_id, row.fhir_server.base,
    )  # fmt: skip
    assert world.refresh().status_code == 200
    assert "code=" in world.phone.allow(world.page).headers["Location"]


def test_the_numbers_of_an_ending_are_what_lived(world: World, events: Events) -> None:
    world.as_operator(sub=world.person.subject)

    (event,) = events("person-ended", person=world.person.subject)
    assert event.reason == "authorizations: 1, access tokens: 1"
