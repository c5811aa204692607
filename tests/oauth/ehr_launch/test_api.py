"""`/o/launch`: what a producer's own EHR registers, and what is refused."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from oauth.models import Launch
from smart.authorize.style import STYLE as STYLE_DOCUMENT
from smart.authorize.style import style_version
from smart.digests import sha256_hex
from tests.conftest import BASE, REDIRECT_URI, SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import Events, MakeClient, MakePerson, MakeResourceServer
from tests.oauth.remembering import exchange
from tests.oauth.visitor import Visitor, redirect_query

STYLE = "https://ehr.example.org/style.json"
OWN_STYLE = f"http://127.0.0.1:8000/o/style/{style_version(STYLE_DOCUMENT)}.json"
LAUNCH_URL = "https://app.example/start?tab=2"


class Ehr:
    """A producer's EHR: a resource server of the R4 base, an app that it can open, and a practitioner who uses it."""

    def __init__(self, app: App, caller: Any, client: Any, person: Any) -> None:
        self.app, self.caller, self.client, self.person = app, caller, client, person

    def body(self, **changes: Any) -> dict[str, Any]:
        good = {"client_id": self.client.client_id, "aud": BASE, "user": self.person.username, "patient": "amy"}
        return {name: value for name, value in {**good, **changes}.items() if value is not ...}

    def post(self, content: Any = None, **options: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", **basic(self.caller.client_id, SECRET)}
        headers |= options.pop("headers", {})
        sent = content if isinstance(content, bytes) else json.dumps(self.body() if content is None else content)
        return self.app.post("/o/launch", content=sent, headers={k: v for k, v in headers.items() if v}, **options)

    @property
    def launches(self) -> list[Launch]:
        return list(Launch.objects.filter(client=self.client))


@pytest.fixture
def ehr(
    app: App,
    make_client: MakeClient,
    make_resource_server: MakeResourceServer,
    make_person: MakePerson,
) -> Ehr:
    client = make_client(launch_urls=LAUNCH_URL, scope="launch patient/*.rs")
    return Ehr(app, make_resource_server(), client, make_person("amy", is_="Practitioner/dr-test"))


@pytest.mark.requirement("EL-01", "EL-02", "EL-03")
def test_an_ehr_gets_a_handle_and_the_address_that_opens_the_app(ehr: Ehr) -> None:
    response = ehr.post(ehr.body(encounter="e1", need_patient_banner=False, tenant="t-1"))

    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    told = response.json()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", told["launch"])
    assert told["launch_url"] == f"{LAUNCH_URL}&iss={quote(BASE, safe='')}&launch={told['launch']}"
    assert parse_qs(urlsplit(told["launch_url"]).query)["iss"] == [BASE]
    assert told["expires_in"] == 300


@pytest.mark.requirement("EL-04")
def test_an_ehr_opens_the_app_at_the_registered_address_that_it_names(ehr: Ehr) -> None:
    second, unsafe = "https://app.example/embedded", "javascript:alert(1)"
    type(ehr.client).objects.filter(pk=ehr.client.pk).update(launch_urls=f"{LAUNCH_URL} {second} {unsafe}")

    first = ehr.post()
    named = ehr.post(ehr.body(launch_url=second))
    left_out = ehr.post(ehr.body(launch_url=None))

    assert first.json()["launch_url"].startswith(f"{LAUNCH_URL}&iss=")
    assert named.json()["launch_url"].startswith(f"{second}?iss=")
    assert left_out.json()["launch_url"].startswith(f"{LAUNCH_URL}&iss=")
    for other in (f"{second}/", second.upper(), "https://elsewhere.example/", unsafe):
        assert_refused(
            ehr.post(ehr.body(launch_url=other)), 400, "invalid_request", "launch_url is not registered for this app"
        )
    assert len(ehr.launches) == 3


@pytest.mark.requirement("EL-02")
def test_the_handle_is_kept_by_its_digest_bound_and_short_lived(ehr: Ehr, settings: Any) -> None:
    settings.SMARTAUTH_LAUNCH_SECONDS = 120

    handle = ehr.post(ehr.body(encounter="e1", intent="reconcile")).json()["launch"]

    (row,) = ehr.launches
    assert row.digest == sha256_hex(handle)
    assert (row.client_id, row.fhir_server.base, row.user_id) == (ehr.client.pk, BASE, ehr.person.pk)
    assert json.loads(row.context) == {**defaults(), "patient": "amy", "encounter": "e1", "intent": "reconcile"}
    assert row.expires_at - row.created_at == 120_000_000
    assert row.consumed_at == 0


def defaults() -> dict[str, Any]:
    """What a launch says where its EHR does not."""
    return {"need_patient_banner": True, "smart_style_url": OWN_STYLE}


@pytest.mark.requirement("DS-14", "LC-04", "LC-05")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"need_patient_banner": None, "smart_style_url": None}, {}, id="null"),
        pytest.param({"need_patient_banner": False}, {"need_patient_banner": False}, id="no banner"),
        pytest.param({"smart_style_url": STYLE}, {"smart_style_url": STYLE}, id="a style"),
    ],
)
def test_an_app_is_told_of_banner_and_style_whatever_the_ehr_says(
    ehr: Ehr, visitor: Visitor, said: dict[str, Any], told: dict[str, Any]
) -> None:
    launch = ehr.post(ehr.body(**said)).json()["launch"]
    scope = "launch patient/Observation.rs"

    page = visitor.reach_consent(ehr.client, ehr.person, scope=scope, launch=launch)
    answer = exchange(ehr.app, ehr.client, redirect_query(visitor.allow(page))["code"], REDIRECT_URI)

    assert {name: answer[name] for name in defaults()} == {**defaults(), **told}
    assert {"context-banner", "context-style"} <= set(
        ehr.app.get("/fhir/r4/.well-known/smart-configuration").json()["capabilities"]
    )


@pytest.mark.requirement("LC-05")
def test_the_operator_decides_what_a_silent_ehr_tells(ehr: Ehr, settings: Any) -> None:
    settings.SMARTAUTH_NEED_PATIENT_BANNER, settings.SMARTAUTH_STYLE_URL = False, STYLE

    ehr.post()

    (row,) = ehr.launches
    assert json.loads(row.context) == {"patient": "amy", "need_patient_banner": False, "smart_style_url": STYLE}


def test_what_was_registered_is_recorded_without_names(ehr: Ehr, events: Events) -> None:
    handle = ehr.post().json()["launch"]

    (event,) = events("launch-prepared", client=ehr.client.client_id)
    assert (event.person, event.patient, event.reason) == (ehr.person.subject, "amy", f"by {ehr.caller.client_id}")
    assert handle not in json.dumps({name: str(value) for name, value in vars(event).items()})


@pytest.mark.parametrize("written", ["Practitioner/{}", BASE + "/Practitioner/{}"], ids=["relative", "absolute"])
def test_the_user_may_be_named_by_fhir_user(ehr: Ehr, make_person: MakePerson, written: str) -> None:
    person = make_person("amy", is_=f"Practitioner/p-{ehr.person.pk}")

    response = ehr.post(ehr.body(user=..., fhirUser=written.format(f"p-{ehr.person.pk}")))

    assert response.status_code == 201
    assert ehr.launches[0].user_id == person.pk


@pytest.mark.requirement("EL-02")
def test_an_ehr_vouches_for_the_patients_of_its_practitioners(ehr: Ehr) -> None:
    response = ehr.post(ehr.body(patient="p-unlisted"))

    assert response.status_code == 201
    assert ehr.launches[0].patient_vouched == 1


@pytest.mark.requirement("SD-25")
@pytest.mark.parametrize("resource", ["Patient/carol", "RelatedPerson/carol"])
def test_nobody_else_gets_a_patient_who_is_not_on_their_list(ehr: Ehr, make_person: MakePerson, resource: str) -> None:
    person = make_person("dan", is_=resource)

    response = ehr.post(ehr.body(user=person.username, patient="amy"))

    assert_refused(response, 400, "invalid_request", "patient is nobody whose record this user may see")
    assert ehr.launches == []


def assert_refused(response: httpx.Response, status: int, error: str, description: str) -> None:
    assert response.status_code == status, response.text
    assert error_of(response) == {"error": error, "error_description": description}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("EL-02")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": ""}, id="no credentials"),
        pytest.param({"Authorization": "Bearer abc"}, id="another scheme"),
        pytest.param({"Authorization": "Basic !!!"}, id="not base64"),
        pytest.param(basic("nobody-of-that-name", SECRET), id="unknown client"),
        pytest.param({"Authorization": "wrong"}, id="wrong secret"),
        pytest.param({"Authorization": "public"}, id="a public client"),
    ],
)
def test_a_caller_that_cannot_be_authenticated_is_refused(ehr: Ehr, headers: dict[str, str]) -> None:
    if headers["Authorization"] == "wrong":
        headers = basic(ehr.caller.client_id, "wrong")
    if headers["Authorization"] == "public":
        headers = basic(ehr.client.client_id, "")

    response = ehr.post(headers=headers)

    assert_refused(response, 401, "invalid_client", "client authentication failed")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="smartauth"'
    assert ehr.launches == []


def test_a_disabled_client_is_refused(ehr: Ehr) -> None:
    ehr.caller.enabled = 0
    ehr.caller.save()

    assert_refused(ehr.post(), 401, "invalid_client", "client authentication failed")
    assert ehr.launches == []


@pytest.mark.requirement("E58")
def test_guessing_a_secret_is_slowed_down(ehr: Ehr, settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    ehr.post(headers=basic(ehr.caller.client_id, "wrong"))

    response = ehr.post(headers=basic(ehr.caller.client_id, "wrong"))

    assert_refused(response, 429, "temporarily_unavailable", "too many failures, wait")
    assert int(response.headers["Retry-After"]) > 0


def test_a_client_that_protects_nothing_may_not_launch(ehr: Ehr, make_client: MakeClient) -> None:
    stranger = make_client("secret")

    response = ehr.post(headers=basic(stranger.client_id, SECRET))

    assert_refused(response, 403, "access_denied", "aud is not a FHIR base that this client protects")
    assert ehr.launches == []


def test_a_resource_server_launches_for_its_own_base_only(ehr: Ehr, other_fhir_server: Any) -> None:
    ehr.client.fhir_servers.add(other_fhir_server)

    response = ehr.post(ehr.body(aud=other_fhir_server.base))

    assert_refused(response, 403, "access_denied", "aud is not a FHIR base that this client protects")
    assert ehr.launches == []


@pytest.mark.requirement("EL-04")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"launch_urls": ""}, id="no launch URL"),
        pytest.param({"launch_urls": "javascript:alert(1)"}, id="no web address"),
        pytest.param({"enabled": 0}, id="disabled"),
        pytest.param({"approved": 0}, id="not approved"),
        pytest.param({"grants": "client_credentials"}, id="not for people"),
    ],
)
def test_an_app_that_cannot_be_opened_is_refused(ehr: Ehr, changes: dict[str, Any]) -> None:
    type(ehr.client).objects.filter(pk=ehr.client.pk).update(**changes)

    response = ehr.post()

    no_app = "client_id is not an app with a launch URL for this FHIR base"
    assert_refused(response, 400, "invalid_request", no_app)
    assert ehr.launches == []


@pytest.mark.requirement("EL-02", "LC-01", "LC-04")
@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"client_id": ...}, "client_id is missing"),
        ({"client_id": "nobody"}, "client_id is not an app with a launch URL for this FHIR base"),
        ({"client_id": 7}, "client_id must be text"),
        ({"client_id": "a\0b"}, "client_id has a control character"),
        ({"client_id": "\ud800"}, "client_id has a control character"),
        ({"launch_url": [LAUNCH_URL]}, "launch_url must be text"),
        ({"aud": ...}, "aud is missing"),
        ({"aud": [BASE]}, "aud must be text"),
        ({"user": ...}, "either user or fhirUser must say who uses the EHR"),
        ({"fhirUser": "Practitioner/x"}, "either user or fhirUser must say who uses the EHR"),
        ({"user": "nobody"}, "user is nobody who uses this FHIR base"),
        ({"user": {}}, "user must be text"),
        ({"user": "\0"}, "user has a control character"),
        ({"user": ..., "fhirUser": "Practitioner/nobody"}, "fhirUser is nobody who uses this FHIR base"),
        ({"patient": "Patient/amy"}, "patient must be a bare FHIR id, such as p-204"),
        ({"patient": 204}, "patient must be a bare FHIR id, such as p-204"),
        ({"patient": ["amy"]}, "patient must be a bare FHIR id, such as p-204"),
        ({"patient": ..., "encounter": "e1"}, "encounter needs the patient that it belongs to"),
        ({"need_patient_banner": "true"}, "need_patient_banner must be true or false"),
        ({"need_patient_banner": 1}, "need_patient_banner must be true or false"),
        ({"smart_style_url": "/style.json"}, "smart_style_url must be an absolute https address"),
        ({"intent": ""}, "intent must be text"),
        ({"tenant": "x" * 201}, "tenant is longer than 200 characters"),
        ({"fhirContext": {}}, "fhirContext must be a list of objects"),
        ({"fhirContext": [{"role": "launch"}]}, "fhirContext[0] needs one of reference, canonical, identifier"),
        ({"access_token": "x"}, "access_token is not known here"),
        ({"scope": "x"}, "scope is not known here"),
    ],
)
def test_what_is_wrong_is_named(ehr: Ehr, changes: dict[str, Any], description: str) -> None:
    response = ehr.post(ehr.body(**changes))

    assert_refused(response, 400, "invalid_request", description)
    assert ehr.launches == []


def test_a_person_who_is_stopped_is_nobody(ehr: Ehr) -> None:
    type(ehr.person).objects.get_queryset().filter(pk=ehr.person.pk).update(suspended_at=1)

    assert_refused(ehr.post(), 400, "invalid_request", "user is nobody who uses this FHIR base")


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut off"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[" * 16_000, id="deep lists"),
        pytest.param(b'{"a":' * 3_000, id="deep objects"),
        pytest.param(b'{"patient": NaN}', id="NaN"),
        pytest.param(b'{"patient": ' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
    ],
)
def test_what_is_no_json_is_refused(ehr: Ehr, body: bytes) -> None:
    assert_refused(ehr.post(body), 400, "invalid_request", "the body is not JSON in UTF-8")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"7"])
def test_what_is_no_object_is_refused(ehr: Ehr, body: bytes) -> None:
    assert_refused(ehr.post(body), 400, "invalid_request", "the body must be a JSON object")


def test_an_empty_body_says_nothing(ehr: Ehr) -> None:
    assert_refused(ehr.post(b""), 400, "invalid_request", "aud is missing")


def test_what_is_said_twice_is_refused(ehr: Ehr) -> None:
    body = b'{"patient": "amy", "patient": "ben"}'

    assert_refused(ehr.post(body), 400, "invalid_request", "a member of the body was sent twice")


@pytest.mark.requirement("SD-20")
def test_a_long_body_is_refused(ehr: Ehr) -> None:
    assert_refused(ehr.post(ehr.body(intent="x" * 20_000)), 413, "invalid_request", "the body is too long")
    assert ehr.launches == []


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "", "nonsense", "a/b/c;;;="])
def test_another_media_type_is_refused(ehr: Ehr, media_type: str) -> None:
    response = ehr.post(headers={"Content-Type": media_type})

    assert_refused(response, 415, "invalid_request", "the body must be application/json")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused(ehr: Ehr, method: str) -> None:
    response = ehr.app.request(method, "/o/launch", headers=basic(ehr.caller.client_id, SECRET))

    assert_refused(response, 405, "invalid_request", "only POST is allowed here")
    assert response.headers["Allow"] == "POST"


def test_whatever_is_accepted_the_answer_is_json(ehr: Ehr) -> None:
    response = ehr.post(headers={"Accept": "text/html"})

    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
