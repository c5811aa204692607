"""`/o/invalidate`: what ends, for whom, who may ask for it, and what is refused."""

import json
from typing import Any, Protocol

import httpx
import pytest
from django.test import Client as Browser

from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer

NOTHING = {"authorizations": 0, "access_tokens": 0}
ONE = {"authorizations": 1, "access_tokens": 1}


class Asker:
    """A resource server of the R4 base that ends access."""

    def __init__(self, app: App, client: Any) -> None:
        self.app, self.client = app, client

    def post(self, content: Any, **options: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", **basic(self.client.client_id, SECRET)}
        headers |= options.pop("headers", {})
        sent = content if isinstance(content, bytes) else json.dumps(content)
        return self.app.post("/o/invalidate", content=sent, headers={k: v for k, v in headers.items() if v}, **options)

    def ends(self, **named: Any) -> dict[str, Any]:
        response = self.post(named)
        assert response.status_code == 200, response.text
        assert response.headers["Cache-Control"] == "no-store"
        told: dict[str, Any] = response.json()
        return told


@pytest.fixture
def asker(app: App, make_resource_server: MakeResourceServer) -> Asker:
    return Asker(app, make_resource_server())


def named(issued: dict[str, Any], *names: str) -> dict[str, str]:
    """The members that name what was granted there."""
    granted = issued["granted"]
    about = {
        "sub": granted.person.subject,
        "fhirUser": granted.person.identities.get().resource,
        "client_id": granted.client.client_id,
        "patient": granted.authorization.patient,
        "authorization": str(granted.authorization),
        "aud": granted.authorization.fhir_server.base,
    }
    return {name: about[name] for name in names}


def unique(grant_of: Any) -> str:
    """A patient whom no other test knows."""
    return f"p-{grant_of.pk}"


@pytest.fixture
def issued(issue: Issue, make_client: MakeClient, make_person: MakePerson) -> dict[str, Any]:
    """A live token about a patient, of a person and a client that no other test knows."""
    client = make_client()
    patient = unique(client)
    return issue(client, make_person(patient), patient=patient)


BY = {
    "person": ("sub",),
    "person at a base": ("sub", "aud"),
    "fhirUser": ("fhirUser", "aud"),
    "client": ("client_id",),
    "patient": ("patient", "aud"),
    "authorization": ("authorization",),
    "person and client": ("sub", "client_id"),
    "everything at once": ("sub", "client_id", "patient", "authorization", "aud"),
}


@pytest.mark.requirement("SD-05", "RV-08", "RV-09")
@pytest.mark.parametrize("names", BY.values(), ids=BY)
def test_a_resource_server_ends_what_it_names_and_nothing_beside(
    asker: Asker, issue: Issue, issued: dict[str, Any], introspect: Introspect, events: Events, names: tuple[str, ...]
) -> None:
    other = issue()

    told = asker.ends(**named(issued, *names))

    assert told == ONE
    assert introspect(issued["access_token"]) == {"active": False}
    assert introspect(other["access_token"])["active"] is True
    row = issued["granted"].authorization
    row.refresh_from_db()
    assert (row.ended_for, row.epoch) == ("invalidated", 1)
    (event,) = events("authorization-ended", authorization=str(row))
    assert (event.reference, event.patient, event.reason) == (asker.client.client_id, row.patient, "invalidated")


@pytest.mark.requirement("SD-05")
def test_codes_and_refresh_tokens_end_too(
    app: App, asker: Asker, make_client: MakeClient, make_person: MakePerson, grant: Grant, issue: Issue
) -> None:
    client = make_client(grants="authorization_code refresh_token", scope="offline_access patient/*.rs")
    person = make_person("amy")
    with_refresh = issue(client, person, scope="offline_access patient/*.rs")
    waiting = grant(client, person)

    asker.ends(sub=person.subject)

    form = {"grant_type": "refresh_token", "refresh_token": with_refresh["refresh_token"]}
    refreshed = app.post("/o/token", data={**form, "client_id": client.client_id})
    exchanged = app.post("/o/token", data=waiting.exchange())
    assert [answer.json()["error"] for answer in (refreshed, exchanged)] == ["invalid_grant"] * 2


@pytest.mark.requirement("SD-05")
def test_what_belongs_to_another_base_stays(
    asker: Asker, issue: Issue, issued: dict[str, Any], other_fhir_server: Any, introspect: Introspect, events: Events
) -> None:
    from accounts import clock
    from oauth.models import AccessToken, liveness

    granted = issued["granted"]
    elsewhere = issue(granted.client, granted.person, server=other_fhir_server)

    told = asker.ends(**named(issued, "sub"))

    (there,) = AccessToken.objects.filter(authorization=elsewhere["granted"].authorization)
    assert told == ONE
    assert liveness.live(AccessToken.objects.filter(pk=there.pk), now=clock.now()).exists()
    granted.person.refresh_from_db()
    assert granted.person.epoch == 0


@pytest.mark.parametrize(
    "named_nobody",
    [
        pytest.param({"sub": "u-nobody"}, id="person"),
        pytest.param({"fhirUser": "Patient/nobody-here", "aud": BASE}, id="fhirUser"),
        pytest.param({"client_id": "no-such-client"}, id="client"),
        pytest.param({"patient": "no-such-patient", "aud": BASE}, id="patient"),
        pytest.param({"authorization": "ZZZZ-ZZZZ"}, id="authorization"),
        pytest.param({"sub": "u-nobody", "lock": "login"}, id="lock of nobody"),
    ],
)
def test_who_is_unknown_reads_like_nothing_to_end(asker: Asker, named_nobody: dict[str, str]) -> None:
    assert asker.ends(**named_nobody) == NOTHING


def test_what_belongs_to_others_reads_like_nothing_to_end(
    app: App, make_resource_server: MakeResourceServer, other_fhir_server: Any, issued: dict[str, Any],
    introspect: Introspect, make_client: MakeClient, events: Events,
) -> None:  # fmt: skip
    stranger = Asker(app, make_resource_server(other_fhir_server))

    told = [stranger.ends(**named(issued, name)) for name in ("sub", "client_id", "authorization")]
    told.append(stranger.ends(**named(issued, "sub"), lock="login"))

    assert told == [NOTHING] * 4
    assert introspect(issued["access_token"])["active"] is True
    issued["granted"].person.refresh_from_db()
    assert issued["granted"].person.login_after == 0
    assert events("person-locked", person=issued["granted"].person.subject) == []


def test_ending_twice_ends_nothing_more(asker: Asker, issued: dict[str, Any], events: Events) -> None:
    first, second = (asker.ends(**named(issued, "sub")) for _ in range(2))

    assert (first, second) == (ONE, NOTHING)
    assert len(events("authorization-ended", authorization=str(issued["granted"].authorization))) == 1


@pytest.mark.requirement("BK-07")
def test_a_backend_service_is_named_by_its_sub(asker: Asker, make_client: MakeClient, fhir_server: Any) -> None:
    from oauth.models import Authorization

    client = make_client("keys", grants="client_credentials")
    row = Authorization.objects.create(client=client, fhir_server=fhir_server, scope="system/*.rs", client_epoch=0)

    told = asker.ends(sub=client.client_id)

    row.refresh_from_db()
    assert told == {"authorizations": 1, "access_tokens": 0}
    assert row.ended_for == "invalidated"


# Consent under way ------------------------------------------------------------------------------------------------


class MakeWaiting(Protocol):
    def __call__(self, **fields: Any) -> Any: ...


@pytest.fixture
def waiting(issued: dict[str, Any]) -> MakeWaiting:
    """A request that waits for that person's answer."""

    def make(**fields: Any) -> Any:
        import secrets

        from accounts import clock
        from oauth.models import PendingRequest

        granted = issued["granted"]
        about = {
            "client": granted.client, "user": granted.person, "fhir_server": granted.authorization.fhir_server,
            "patient": granted.authorization.patient,
        }  # fmt: skip
        return PendingRequest.objects.create(
            handle_digest=secrets.token_hex(16), cookie_digest="x", request="{}",
            expires_at=clock.now() + 600_000_000, **{**about, **fields},
        )  # fmt: skip

    return make


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("names", BY.values(), ids=BY)
def test_a_request_that_waits_for_an_answer_about_it_gets_none(
    asker: Asker,
    issued: dict[str, Any],
    waiting: MakeWaiting,
    make_person: MakePerson,
    make_client: MakeClient,
    names: tuple[str, ...],
) -> None:
    closed, other = waiting(), waiting(user=make_person("amy"), client=make_client(), patient="amy")

    asker.ends(**named(issued, *names))

    closed.refresh_from_db()
    other.refresh_from_db()
    assert closed.answered_at > 0
    assert other.answered_at == 0


# Locks ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SD-05")
def test_a_lock_until_a_later_login_ends_sessions_and_marks_the_moment(
    asker: Asker, issued: dict[str, Any], events: Events
) -> None:
    from accounts import clock
    from accounts.models import SignIn

    person, browser = issued["granted"].person, Browser()
    browser.post("/login", {"username": person.username, "password": "smartauth-demo"})
    before = clock.now()

    told = asker.ends(**named(issued, "sub"), lock="login")

    person.refresh_from_db()
    assert told == {**ONE, "lock": "login"}
    assert before <= person.login_after <= clock.now()
    assert not SignIn.objects.filter(user=person).exists()
    assert browser.get("/apps").status_code == 303
    assert (person.stopped_at, person.epoch) == (0, 0)
    assert len(events("person-locked", person=person.subject, reference=asker.client.client_id)) == 1
    again = browser.post("/login", {"username": person.username, "password": "smartauth-demo"})
    assert (again.status_code, again.headers["Location"]) == (303, "/")


def test_a_resource_server_locks_nobody_who_has_no_access_there(
    asker: Asker, issue: Issue, make_person: MakePerson, other_fhir_server: Any, events: Events
) -> None:
    issued = issue(person=make_person("amy"), server=other_fhir_server)
    person = issued["granted"].person

    told = asker.ends(sub=person.subject, lock="login")

    person.refresh_from_db()
    assert told == NOTHING
    assert person.login_after == 0


def test_only_operators_lock_until_an_operators_word(
    asker: Asker, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = asker.post({**named(issued, "sub"), "lock": "operator"})

    is_refused(response, 403, "access_denied", "only an operator may lock until an operator's word")
    assert introspect(issued["access_token"])["active"] is True
    issued["granted"].person.refresh_from_db()
    assert issued["granted"].person.stopped_at == 0


# Operators --------------------------------------------------------------------------------------------------------


class Operator:
    """An operator's browser, on a page of ours."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.browser = Browser(enforce_csrf_checks=True)
        self.browser.force_login(user)

    @property
    def csrf(self) -> str:
        page = self.browser.get("/sessions").content.decode()
        return page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    def post(self, *, csrf: str | None = None, **asked: Any) -> Any:
        headers = {"X-CSRFToken": self.csrf if csrf is None else csrf}
        return self.browser.post("/o/invalidate", json.dumps(asked), content_type="application/json", headers=headers)


@pytest.fixture
def operator(make_person: MakePerson) -> Operator:
    user = make_person()
    user.is_staff = user.is_superuser = True
    user.save()
    return Operator(user)


@pytest.mark.requirement("SD-05", "RV-08")
@pytest.mark.parametrize(
    ("name", "kind"), [("sub", "person-ended"), ("client_id", "client-ended")], ids=["person", "client"]
)
def test_an_operator_ends_everything_of_a_person_or_client_everywhere_by_one_increment(
    operator: Operator, issue: Issue, issued: dict[str, Any], other_fhir_server: Any, introspect: Introspect,
    events: Events, name: str, kind: str,
) -> None:  # fmt: skip
    from accounts import clock
    from oauth.models import AccessToken, liveness

    granted = issued["granted"]
    issue(granted.client, granted.person, server=other_fhir_server)

    told = operator.post(**named(issued, name))

    assert (told.status_code, told.json()) == (200, {"authorizations": 2, "access_tokens": 2})
    assert introspect(issued["access_token"]) == {"active": False}
    assert not liveness.live(AccessToken.objects.filter(authorization__client=granted.client), now=clock.now()).exists()
    which = granted.person if name == "sub" else granted.client
    which.refresh_from_db()
    assert which.epoch == 1
    assert len(events(kind, operator=operator.user.subject)) == 1


@pytest.mark.requirement("RV-08")
@pytest.mark.parametrize("names", [BY[name] for name in ("patient", "authorization", "person and client", "fhirUser")])
def test_an_operator_ends_what_he_names(
    operator: Operator, issued: dict[str, Any], introspect: Introspect, events: Events, names: tuple[str, ...]
) -> None:
    told = operator.post(**named(issued, *names))

    assert told.json() == ONE
    assert introspect(issued["access_token"]) == {"active": False}
    (event,) = events("authorization-ended", authorization=str(issued["granted"].authorization))
    assert (event.operator, event.reason) == (operator.user.subject, "operator")


@pytest.mark.requirement("SD-05")
def test_an_operator_locks_until_his_word(
    operator: Operator, issued: dict[str, Any], introspect: Introspect, events: Events
) -> None:
    person, browser = issued["granted"].person, Browser()

    told = operator.post(**named(issued, "sub"), lock="operator")

    assert told.json() == {**ONE, "lock": "operator"}
    assert introspect(issued["access_token"]) == {"active": False}
    assert browser.post("/login", {"username": person.username, "password": "smartauth-demo"}).status_code == 403
    assert len(events("person-stopped", person=person.subject, operator=operator.user.subject)) == 1


def test_an_operator_may_lock_whoever_has_no_access(operator: Operator, make_person: MakePerson) -> None:
    person = make_person("amy")

    told = operator.post(sub=person.subject, lock="login")

    person.refresh_from_db()
    assert told.json() == {**NOTHING, "lock": "login"}
    assert person.login_after > 0


@pytest.mark.parametrize("lock", ["login", "operator"])
def test_nobody_locks_himself(operator: Operator, lock: str) -> None:
    response = operator.post(sub=operator.user.subject, lock=lock)

    operator.user.refresh_from_db()
    assert (response.status_code, response.json()["error_description"]) == (400, "you cannot lock yourself")
    assert (operator.user.stopped_at, operator.user.login_after) == (0, 0)


@pytest.mark.requirement("AZ-19")
def test_an_operators_session_counts_only_on_a_page_of_ours(
    operator: Operator, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = operator.post(**named(issued, "sub"), csrf="")

    assert response.status_code == 403
    assert response.json() == {"error": "access_denied", "error_description": "the CSRF token is missing or wrong"}
    assert introspect(issued["access_token"])["active"] is True


def test_whoever_is_no_operator_ends_nothing(
    make_person: MakePerson, issued: dict[str, Any], introspect: Introspect
) -> None:
    response = Operator(make_person("amy")).post(**named(issued, "sub"))

    assert response.status_code == 403
    assert response.json()["error_description"] == "only operators and resource servers may end access"
    assert introspect(issued["access_token"])["active"] is True


# What is refused --------------------------------------------------------------------------------------------------


def is_refused(response: httpx.Response, status: int, error: str, description: str) -> None:
    assert response.status_code == status, response.text
    assert response.json() == {"error": error, "error_description": description}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": ""}, id="nothing"),
        pytest.param({"Authorization": "Bearer abc"}, id="another scheme"),
        pytest.param({"Authorization": "Basic !!!"}, id="not base64"),
        pytest.param(basic("nobody-of-that-name", SECRET), id="unknown client"),
        pytest.param({"Authorization": "wrong"}, id="wrong secret"),
        pytest.param({"Authorization": "public"}, id="a public client"),
    ],
)
def test_who_cannot_prove_himself_is_refused(
    asker: Asker, issued: dict[str, Any], introspect: Introspect, headers: dict[str, str], events: Events
) -> None:
    made = {"wrong": (asker.client.client_id, "wrong"), "public": (issued["granted"].client.client_id, "")}
    if headers["Authorization"] in made:
        headers = basic(*made[headers["Authorization"]])

    response = asker.post(named(issued, "sub"), headers=headers)

    is_refused(response, 401, "invalid_client", "client authentication failed")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="smartauth"'
    assert introspect(issued["access_token"])["active"] is True
    if headers["Authorization"] == basic(asker.client.client_id, "wrong")["Authorization"]:
        assert len(events("client-authentication-failed", client=asker.client.client_id)) == 1


def test_a_client_that_protects_nothing_ends_nothing(
    app: App, issued: dict[str, Any], make_client: MakeClient, introspect: Introspect
) -> None:
    stranger = Asker(app, make_client("secret"))

    is_refused(stranger.post(named(issued, "sub")), 403, "access_denied", "this client protects no FHIR base")
    is_refused(
        stranger.post(named(issued, "patient", "aud")), 403, "access_denied",
        "aud is not a FHIR base that this client protects",
    )  # fmt: skip
    assert introspect(issued["access_token"])["active"] is True


ONE_OF = "say whose access ends: one of sub, fhirUser, client_id, patient, authorization"


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ({}, ONE_OF),
        ({"aud": BASE}, ONE_OF),
        ({"lock": "login"}, ONE_OF),
        ({"sub": None}, ONE_OF),
        ({"sub": "x", "aud": None}, "aud is null: leave it out, or say it"),
        ({"client_id": "x", "patient": None, "aud": BASE}, "patient is null: leave it out, or say it"),
        ({"sub": "x", "fhirUser": "Patient/x", "aud": BASE}, "say sub or fhirUser, not both"),
        ({"fhirUser": "Patient/x"}, "fhirUser needs aud: ids belong to a FHIR base"),
        ({"patient": "x"}, "patient needs aud: ids belong to a FHIR base"),
        ({"patient": "Patient/x", "aud": BASE}, "patient must be a bare FHIR id, such as p-204"),
        ({"patient": ["x"], "aud": BASE}, "patient must be a bare FHIR id, such as p-204"),
        ({"sub": ["x"]}, "sub must be text"),
        ({"sub": ""}, "sub must be text"),
        ({"sub": "a\0b"}, "sub has a control character"),
        ({"client_id": 7}, "client_id must be text"),
        ({"client_id": "\ud800"}, "client_id has a control character"),
        ({"client_id": "x" * 1001}, "client_id is longer than 1000 characters"),
        ({"sub": "x", "aud": {}}, "aud must be text"),
        ({"authorization": "17"}, "authorization must be a number such as 2223-7F3K"),
        ({"authorization": 17}, "authorization must be text"),
        ({"sub": "x", "lock": "forever"}, "lock must be login or operator"),
        ({"sub": "x", "lock": True}, "lock must be text"),
        ({"client_id": "x", "lock": "login"}, "lock needs the person: sub or fhirUser"),
        ({"sub": "x", "user": "amy"}, "user is not known here"),
        ({"sub": "x", "fhir_server": BASE}, "fhir_server is not known here"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(asker: Asker, asked: dict[str, Any], description: str) -> None:
    is_refused(asker.post(asked), 400, "invalid_request", description)


def test_an_operator_hears_that_a_base_is_none(operator: Operator) -> None:
    response = operator.post(patient="amy", aud="https://nowhere.example.org/fhir")

    assert response.status_code == 400
    assert response.json() == {"error": "invalid_target", "error_description": "aud is no FHIR base of this server"}


@pytest.mark.parametrize(
    ("body", "description"),
    [
        pytest.param(b"{", "the body is not JSON in UTF-8", id="cut off"),
        pytest.param(b"[]", "the body must be a JSON object", id="a list"),
        pytest.param(b'{"sub": "a", "sub": "b"}', "a member of the body was sent twice", id="twice"),
    ],
)
def test_what_is_no_object_is_refused(asker: Asker, body: bytes, description: str) -> None:
    is_refused(asker.post(body), 400, "invalid_request", description)


def test_a_long_body_is_refused(asker: Asker) -> None:
    is_refused(asker.post({"sub": "x" * 20_000}), 413, "invalid_request", "the body is too long")


def test_a_form_is_refused(asker: Asker) -> None:
    response = asker.post(b"sub=x", headers={"Content-Type": "application/x-www-form-urlencoded"})

    is_refused(response, 415, "invalid_request", "the body must be application/json")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused(asker: Asker, method: str) -> None:
    response = asker.app.request(method, "/o/invalidate", headers=basic(asker.client.client_id, SECRET))

    is_refused(response, 405, "invalid_request", "only POST is allowed here")
    assert response.headers["Allow"] == "POST"
