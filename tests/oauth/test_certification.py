"""What the certification of (g)(10) goes through, in its words (ON-02 to ON-05), on a whole server."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from oauth.models import RefreshToken
from smart.time_units import SECOND
from tests.conftest import BASE, CHALLENGE, REDIRECT_URI, SECRET, VERIFIER, App, Granted, basic
from tests.fixture_types import Grant, Introspect, MakeClient, MakePerson, MakeResourceServer
from tests.oauth.visitor import FORM, Visitor, good_request, redirect_query
from tests.publishing import publisher_of
from tests.signing import assertion_form, jwks, pair

EC = pair("ES384")
SCOPE = "launch openid fhirUser patient/Observation.rs offline_access"
MONTHS_3 = 90 * 86_400 * SECOND
Form = dict[str, str | None]


@pytest.fixture
def granted(grant: Grant, make_client: MakeClient) -> Granted:
    """A code of a client with keys that may do everything an app may."""
    client = make_client("keys", jwks=jwks(EC), grants="authorization_code refresh_token")
    return grant(client=client)


def sent(app: App, granted: Granted, changes: Form) -> httpx.Response:
    """A good exchange with changes."""
    good: Form = {**granted.exchange(), **assertion_form(EC.assertion(granted.client.client_id))}
    form = {name: value for name, value in {**good, **changes}.items() if value is not None}
    return app.post("/o/token", data=form)


@pytest.mark.requirement("ON-02")
@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        pytest.param({"code": "another"}, 400, "invalid_grant", id="code"),
        pytest.param({"client_id": "another"}, 401, "invalid_client", id="client_id"),
        pytest.param({"code_verifier": None}, 400, "invalid_request", id="code_verifier missing"),
        pytest.param({"code_verifier": ""}, 400, "invalid_request", id="code_verifier blank"),
        pytest.param({"code_verifier": "b" * 43}, 400, "invalid_grant", id="code_verifier wrong"),
        pytest.param({"code_verifier": CHALLENGE}, 400, "invalid_grant", id="code_verifier equal to the challenge"),
        pytest.param(
            {"grant_type": "refresh_token", "refresh_token": "another"}, 400, "invalid_grant", id="refresh token"
        ),
        pytest.param({"grant_type": "another"}, 400, "unsupported_grant_type", id="grant type"),
        pytest.param({"client_assertion_type": "another"}, 401, "invalid_client", id="assertion type"),
        pytest.param({"client_assertion": "a.b.c"}, 401, "invalid_client", id="JWT"),
    ],
)
def test_what_is_invalid_at_the_token_endpoint_is_an_error_and_takes_nothing_away(
    app: App, granted: Granted, changes: Form, status: int, error: str
) -> None:
    response = sent(app, granted, changes)

    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in response.headers) is (status == 401)
    assert sent(app, granted, {}).status_code == 200


@pytest.mark.requirement("ON-02")
def test_an_invalid_aud_is_told_to_the_app_and_an_invalid_client_to_nobody(
    visitor: Visitor, make_client: MakeClient
) -> None:
    client = make_client()

    for_aud = visitor.ask(client, aud="https://another.example.org/fhir")
    for_client = visitor.ask(client, client_id="another")

    assert for_aud.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert redirect_query(for_aud)["error"] == "invalid_request"
    assert (for_client.status_code, "Location" in for_client.headers) == (400, False)


def proof(client: Any) -> tuple[dict[str, str], dict[str, str]]:
    """What proves the client in a form, and in the headers."""
    if client.authentication == "keys":
        return assertion_form(EC.assertion(client.client_id)), {}
    if client.authentication == "secret":
        return {}, basic(client.client_id, SECRET)
    return {"client_id": client.client_id}, {}


def machine(app: App, client: Any, path: str, **form: str) -> httpx.Response:
    proved, headers = proof(client)
    response = app.post(path, data={**form, **proved}, headers=headers)
    assert response.status_code == 200, response.text
    return response


def launched(app: App, ehr: Any, client: Any, person: Any) -> str:
    """The handle that an EHR gets for its app."""
    told = {"client_id": client.client_id, "aud": BASE, "user": person.username, "patient": "amy"}
    headers = {"Content-Type": "application/json", **basic(ehr.client_id, SECRET)}
    response = app.post("/o/launch", content=json.dumps(told), headers=headers)
    assert response.status_code == 201, response.text
    return str(response.json()["launch"])


def opened(visitor: Visitor, client: Any, method: str, **changes: str) -> httpx.Response:
    """The first page that the person sees."""
    if method == "GET":
        return visitor.follow(visitor.ask(client, **changes))
    body = urlencode(good_request(client, **changes))
    return visitor.follow(visitor.request("POST", "/o/authorize", content=body, headers=FORM))


@pytest.mark.requirement("ON-04")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("authentication", ["none", "secret", "keys"])
def test_an_app_of_each_kind_is_launched_from_an_ehr_and_lives_as_long_as_it_is_allowed(
    app: App, visitor: Visitor, make_client: MakeClient, make_person: MakePerson,
    make_resource_server: MakeResourceServer, introspect: Introspect, authentication: str, method: str,
) -> None:  # fmt: skip
    person, ehr = make_person("amy", is_="Practitioner/dr-test"), make_resource_server()
    client = make_client(
        authentication, jwks=jwks(EC) if authentication == "keys" else "", grants="authorization_code refresh_token",
        scope="launch openid fhirUser patient/*.rs offline_access", launch_urls="https://app.example/launch",
    )  # fmt: skip

    page = opened(visitor, client, method, scope=SCOPE, launch=launched(app, ehr, client, person))
    code = redirect_query(visitor.allow(visitor.sign_in(page, person)))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    told = machine(app, client, "/o/token", **form).json()
    kept = RefreshToken.objects.get(authorization__client=client)
    again = machine(app, client, "/o/token", grant_type="refresh_token", refresh_token=told["refresh_token"]).json()
    alive = introspect(again["access_token"])
    machine(app, client, "/o/revoke", token=again["refresh_token"])

    assert told["patient"] == alive["patient"] == "amy"
    assert kept.expires_at - kept.issued_at >= MONTHS_3
    assert (alive["active"], alive["scope"], alive["client_id"]) == (True, again["scope"], client.client_id)
    assert (alive["iss"], alive["sub"]) == ("http://127.0.0.1:8000", person.subject)
    assert alive["fhirUser"] == f"{BASE}/Practitioner/dr-test"
    assert introspect(again["access_token"]) == {"active": False}


@pytest.mark.requirement("ON-04")
def test_a_backend_service_with_a_jwks_url_gets_its_token(
    app: App, make_client: MakeClient, introspect: Introspect
) -> None:
    with publisher_of(jwks(EC)) as publisher:
        service = make_client(
            "keys", jwks_uri=publisher.url, grants="client_credentials", scope="system/*.rs", redirect_uris=""
        )

        told = machine(app, service, "/o/token", grant_type="client_credentials", scope="system/*.rs").json()

    assert (told["scope"], told["expires_in"]) == ("system/*.rs", 300)
    assert introspect(told["access_token"])["active"] is True
