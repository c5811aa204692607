"""What the server says about itself, over the whole server as clients and browsers ask it."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import grantable_scope
from tests.conftest import BASE, REDIRECT_URI, SECRET, App, basic
from tests.fixture_types import Issue, MakeClient
from tests.oauth.jwt import payload

ISSUER = "http://127.0.0.1:8000"
UNDER_BASE = "/fhir/r4/.well-known/smart-configuration"
BY_AUDIENCE = "/o/smart-configuration?aud=http%3A%2F%2F127.0.0.1%3A8000%2Ffhir%2Fr4"
METADATA = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
JWKS = "/o/jwks"
DOCUMENTS = [
    pytest.param(UNDER_BASE, id="under the base"),
    pytest.param(BY_AUDIENCE, id="by audience"),
    pytest.param(METADATA, id="RFC 8414"),
    pytest.param(OPENID, id="OpenID Connect"),
    pytest.param(JWKS, id="public keys"),
    pytest.param("/.well-known/oauth-protected-resource/fhir/r4", id="RFC 9728"),
]
pytestmark = [pytest.mark.one_engine, pytest.mark.usefixtures("fhir_server")]


@pytest.fixture
def configuration(app: App, fhir_server: Any) -> dict[str, Any]:
    """The SMART configuration of the bundled R4 base."""
    found: dict[str, Any] = app.get(UNDER_BASE).json()
    return found


@pytest.fixture
def metadata(app: App) -> dict[str, Any]:
    """The RFC 8414 document."""
    found: dict[str, Any] = app.get(METADATA).json()
    return found


@pytest.mark.requirement("DS-01")
def test_every_base_publishes_its_configuration_below_its_own_path(app: App) -> None:
    assert app.get(UNDER_BASE).status_code == 200
    assert app.get("/.well-known/smart-configuration/fhir/r4").status_code == 404
    assert app.get("/fhir/r9/.well-known/smart-configuration").status_code == 404


@pytest.mark.requirement("DS-02", "E130")
@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(None, id="missing"),
        pytest.param("text/html", id="html"),
        pytest.param("application/fhir+xml", id="FHIR XML"),
        pytest.param("*/*;q=0", id="nothing at all"),
    ],
)
def test_the_answer_is_json_whatever_accept_says(app: App, path: str, accept: str | None) -> None:
    response = app.get(path, headers={"Accept": accept}) if accept else without_accept(app, path)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert isinstance(response.json(), dict)


def without_accept(app: App, path: str) -> httpx.Response:
    """The answer to a request that lacks the header, which httpx adds by itself."""
    request = app._client.build_request("GET", path)
    del request.headers["Accept"]
    response: httpx.Response = app.run(app._client.send(request))
    assert "Accept" not in response.request.headers
    return response


@pytest.mark.requirement("DS-03", "CO-01", "CO-08")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_any_origin_may_read_without_credentials(app: App, path: str) -> None:
    response = app.get(path, headers={"Origin": "https://anywhere.example"})

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.requirement("DS-03", "CO-01")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_preflight_of_any_origin_is_answered(app: App, path: str) -> None:
    asked = {"Origin": "https://anywhere.example", "Access-Control-Request-Method": "GET"}

    response = app.request("OPTIONS", path, headers=asked)

    assert response.is_success
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response.headers["Access-Control-Allow-Methods"]


@pytest.mark.requirement("DS-04")
def test_every_endpoint_is_an_absolute_address(configuration: dict[str, Any], metadata: dict[str, Any]) -> None:
    endpoints = [
        value
        for document in (configuration, metadata)
        for name, value in document.items()
        if name.endswith(("_endpoint", "_uri"))
    ]

    assert len(endpoints) >= 8
    pages = {"http://127.0.0.1:8000/apps"}
    assert all(value.startswith("http://127.0.0.1:8000/o/") for value in {*endpoints} - pages)


@pytest.mark.requirement("DS-05", "DS-06", "DS-11")
def test_the_configuration_names_what_every_app_needs(configuration: dict[str, Any]) -> None:
    assert configuration["token_endpoint"] == "http://127.0.0.1:8000/o/token"
    assert configuration["authorization_endpoint"] == "http://127.0.0.1:8000/o/authorize"
    assert configuration["introspection_endpoint"] == "http://127.0.0.1:8000/o/introspect"
    assert configuration["revocation_endpoint"] == "http://127.0.0.1:8000/o/revoke"
    assert configuration["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert configuration["response_types_supported"] == ["code"]
    assert "launch/patient" in configuration["scopes_supported"]
    assert {type(word) for word in configuration["capabilities"]} == {str}


@pytest.mark.requirement("DS-07", "DS-17", "WF-15")
def test_every_document_and_token_names_the_issuer_alike(
    app: App, configuration: dict[str, Any], metadata: dict[str, Any], issue: Issue
) -> None:
    openid, told = app.get(OPENID).json(), issue(scope="openid patient/*.rs")

    assert "sso-openid-connect" in configuration["capabilities"]
    assert configuration["jwks_uri"] == openid["jwks_uri"] == f"{ISSUER}/o/jwks"
    named = [document["issuer"] for document in (configuration, metadata, openid)]
    assert [*named, payload(told["id_token"])["iss"], payload(told["access_token"])["iss"]] == [ISSUER] * 5


@pytest.mark.requirement("DS-16")
def test_the_document_of_openid_connect_lies_below_the_issuer(app: App) -> None:
    response = app.get(OPENID)

    assert response.headers["Content-Type"] == "application/json"
    needed = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"}
    assert needed <= response.json().keys()
    assert response.json()["subject_types_supported"] == ["public"]
    assert "RS256" in response.json()["id_token_signing_alg_values_supported"]


@pytest.mark.requirement("DS-08")
def test_only_s256_is_offered_as_a_challenge(configuration: dict[str, Any], metadata: dict[str, Any]) -> None:
    assert configuration["code_challenge_methods_supported"] == ["S256"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.requirement("DS-10")
def test_every_scope_that_is_listed_is_granted_to_a_client_that_may_ask_it(
    issue: Issue, make_client: MakeClient, configuration: dict[str, Any]
) -> None:
    of_people = [scope for scope in configuration["scopes_supported"] if not scope.startswith("system/")]
    listed = " ".join(of_people)
    client = make_client(scope=listed)

    for scope in of_people:
        assert grantable_scope(scope, client.scope, types=resource_types("r4")) == scope
    assert issue(client, scope=listed)["scope"].split() == of_people


@pytest.mark.requirement("DS-10", "DS-05")
def test_every_system_scope_that_is_listed_is_granted_to_a_service_that_may_ask_it(
    app: App, make_client: MakeClient, configuration: dict[str, Any]
) -> None:
    system_scopes = [scope for scope in configuration["scopes_supported"] if scope.startswith("system/")]
    client = make_client(
        "secret", grants="client_credentials", backend_by_secret=1, redirect_uris="", scope=" ".join(system_scopes)
    )
    form = {"grant_type": "client_credentials", "scope": " ".join(system_scopes)}

    response = app.post("/o/token", data=form, headers=basic(client.client_id, SECRET))

    assert system_scopes
    assert response.json()["scope"].split() == system_scopes


@pytest.mark.requirement("DS-13")
def test_only_words_of_smart_are_capabilities(configuration: dict[str, Any]) -> None:
    assert set(configuration["capabilities"]) == {
        "launch-ehr",
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-asymmetric",
        "client-confidential-symmetric",
        "sso-openid-connect",
        "context-banner",
        "context-ehr-encounter",
        "context-ehr-patient",
        "context-standalone-encounter",
        "context-standalone-patient",
        "context-style",
        "permission-offline",
        "permission-online",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
    }


@pytest.mark.requirement("ON-01")
def test_everything_that_the_certification_asks_is_there(configuration: dict[str, Any]) -> None:
    asked = (
        "launch-ehr launch-standalone authorize-post client-public client-confidential-symmetric "
        "client-confidential-asymmetric sso-openid-connect context-banner context-style context-ehr-patient "
        "context-ehr-encounter context-standalone-patient permission-offline permission-patient permission-user "
        "permission-v1 permission-v2"
    )

    assert set(asked.split()) <= set(configuration["capabilities"])


@pytest.mark.requirement("DS-15")
def test_the_capabilities_make_the_set_patient_access_for_standalone_apps(configuration: dict[str, Any]) -> None:
    needed = {"launch-standalone", "context-standalone-patient", "permission-patient", "client-public"}

    assert needed <= set(configuration["capabilities"])


@pytest.mark.requirement("DS-15")
def test_the_capabilities_make_the_set_patient_access_for_launches_from_an_ehr(configuration: dict[str, Any]) -> None:
    needed = {"launch-ehr", "context-ehr-patient", "permission-patient", "client-public"}

    assert needed <= set(configuration["capabilities"])


@pytest.mark.requirement("DS-15")
@pytest.mark.parametrize(
    "needed",
    [
        {"launch-standalone", "permission-user", "permission-patient"},
        {"launch-ehr", "context-ehr-patient", "context-ehr-encounter", "permission-user", "permission-patient"},
    ],
    ids=["standalone", "EHR"],
)
def test_the_capabilities_make_the_sets_for_clinicians(configuration: dict[str, Any], needed: set[str]) -> None:
    assert needed <= set(configuration["capabilities"])


@pytest.mark.requirement("DS-14", "CL-02")
@pytest.mark.parametrize("switched_on", [False, True])
def test_secrets_in_the_body_are_advertised_where_they_are_accepted(app: App, settings: Any, switched_on: bool) -> None:
    settings.SMARTAUTH_TOKEN_SECRET_IN_BODY = switched_on

    for document in (app.get(UNDER_BASE).json(), app.get(METADATA).json()):
        assert ("client_secret_post" in document["token_endpoint_auth_methods_supported"]) is switched_on
    openid = app.get("/.well-known/openid-configuration").json()
    assert "client_secret_post" in openid["token_endpoint_auth_methods_supported"]  # of plain OpenID clients always
    assert "client_secret_post" in document["introspection_endpoint_auth_methods_supported"]
    assert "client_secret_post" in document["revocation_endpoint_auth_methods_supported"]


@pytest.mark.requirement("DS-17", "SB-02")
def test_the_issuer_in_a_redirect_is_the_one_of_the_documents(
    app: App, metadata: dict[str, Any], make_client: MakeClient
) -> None:
    client = make_client()
    asked = {"client_id": client.client_id, "redirect_uri": REDIRECT_URI, "response_type": "token", "state": "x" * 16}

    refused = app.get("/o/authorize", params=asked)

    (issuer,) = parse_qs(urlsplit(refused.headers["Location"]).query)["iss"]
    assert issuer == metadata["issuer"]


# SMART's document names SMART's grants only; plain OpenID Connect clients, who read theirs, may ask more
OWN_WORDS = {"token_endpoint_auth_methods_supported", "grant_types_supported", "scopes_supported"}


@pytest.mark.requirement("DS-17", "WF-14")
def test_what_two_documents_both_say_they_say_alike(app: App) -> None:
    said: dict[str, set[str]] = {}
    for path in (UNDER_BASE, BY_AUDIENCE, METADATA, OPENID):
        for name, value in app.get(path).json().items():
            said.setdefault(name, set()).add(json.dumps(value))

    assert {name for name, values in said.items() if len(values) > 1} == OWN_WORDS
    smart, openid = (set(json.loads(scopes)) for scopes in sorted(said["scopes_supported"], key=len))
    assert openid - smart == {"profile", "email"}
    assert smart < openid
    assert len(said) > 20


@pytest.mark.requirement("DS-18")
def test_the_metadata_adds_what_rfc_8414_knows(metadata: dict[str, Any]) -> None:
    assert metadata["jwks_uri"] == "http://127.0.0.1:8000/o/jwks"
    assert "none" in metadata["token_endpoint_auth_methods_supported"]
    assert "none" in metadata["revocation_endpoint_auth_methods_supported"]
    assert "none" not in metadata["introspection_endpoint_auth_methods_supported"]
    assert metadata["authorization_response_iss_parameter_supported"] is True


@pytest.mark.requirement("DS-20")
def test_the_keys_are_published_without_their_private_members(app: App) -> None:
    published = app.get(JWKS).json()["keys"]

    assert {"RSA", "EC"} <= {key["kty"] for key in published}
    assert all({"kty", "kid", "use", "alg"} <= set(key) for key in published)
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & set(key) for key in published)
    assert len({key["kid"] for key in published}) == len(published)


@pytest.mark.requirement("DS-23")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_cached_and_asked_again_by_its_etag(app: App, path: str) -> None:
    first = app.get(path)

    again = app.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in first.headers
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert app.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.requirement("DS-23")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_head_answers_like_get_without_a_body(app: App, path: str) -> None:
    response = app.request("HEAD", path)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["ETag"] == app.get(path).headers["ETag"]


@pytest.mark.requirement("DS-23", "E130")
@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(app: App, path: str, method: str) -> None:
    response = app.request(method, path)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.requirement("DS-19")
def test_a_refusal_of_the_bundled_server_leads_to_who_issues_its_tokens(app: App, fhir_server: Any) -> None:
    challenge = app.get("/fhir/r4/Patient/amy").headers["WWW-Authenticate"]

    (address,) = re.findall(r'resource_metadata="([^"]+)"', challenge)

    found = app.get(address.removeprefix(ISSUER)).json()
    assert found["resource"] == BASE
    assert found["authorization_servers"] == [app.get(METADATA).json()["issuer"]]
    assert {"patient/*.rs", "system/*.rs"} <= set(found["scopes_supported"])
    assert app.get("/.well-known/oauth-protected-resource/fhir/r9").status_code == 404


@pytest.mark.requirement("E131")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_forwarded_host_that_no_proxy_of_ours_wrote_changes_nothing(app: App, path: str) -> None:
    honest = app.get(path)

    response = app.get(path, headers={"X-Forwarded-Host": "evil.example"})

    assert (response.status_code, response.json()) == (200, honest.json())


@pytest.mark.requirement("E131")
@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_spoofed_host_is_refused_and_of_the_public_keys_changes_nothing(app: App, path: str) -> None:
    response = app.get(path, headers={"Host": "evil.example"})

    assert response.status_code == (200 if path == JWKS else 400)
    assert "evil.example" not in response.text


def test_the_configuration_by_audience_is_the_one_under_the_base(app: App, configuration: dict[str, Any]) -> None:
    assert app.get("/o/smart-configuration", params={"aud": BASE}).json() == configuration
    assert app.get("/o/smart-configuration", params={"aud": f"{BASE}/"}).json() == configuration


def test_a_base_of_a_producer_has_a_configuration_too(app: App, other_fhir_server: Any) -> None:
    response = app.get("/o/smart-configuration", params={"aud": other_fhir_server.base})

    assert response.status_code == 200
    assert response.json()["token_endpoint"] == "http://127.0.0.1:8000/o/token"


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        pytest.param("", 400, "invalid_request", id="no aud"),
        pytest.param("?aud=", 400, "invalid_request", id="an empty aud"),
        pytest.param(f"?aud={BASE}&aud={BASE}", 400, "invalid_request", id="aud twice"),
        pytest.param("?aud=https://unknown.example/fhir", 404, "invalid_target", id="an unknown base"),
        pytest.param(f"?aud={BASE}/Patient", 404, "invalid_target", id="a longer address"),
        pytest.param("?aud=%00", 404, "invalid_target", id="NUL"),
        pytest.param("?aud=%FF%FE", 404, "invalid_target", id="invalid UTF-8"),
    ],
)
def test_a_base_that_is_not_protected_here_is_refused(app: App, query: str, status: int, error: str) -> None:
    response = app.get(f"/o/smart-configuration{query}", headers={"Origin": "https://anywhere.example"})

    assert response.status_code == status
    assert json.loads(response.content)["error"] == error
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.requirement("WF-14", "DS-22")
def test_the_capability_statement_names_the_same_endpoints(app: App, fhir_server: Any) -> None:
    configuration = app.get("/fhir/r4/.well-known/smart-configuration").json()

    (rest,) = app.get("/fhir/r4/metadata").json()["rest"]

    (extension,) = [e for e in rest["security"]["extension"] if e["url"].endswith("/oauth-uris")]
    members = {
        "authorize": "authorization_endpoint", "token": "token_endpoint", "introspect": "introspection_endpoint",
        "revoke": "revocation_endpoint", "register": "registration_endpoint", "manage": "management_endpoint",
    }  # fmt: skip
    assert {part["url"]: part["valueUri"] for part in extension["extension"]} == {
        name: configuration[member] for name, member in members.items() if member in configuration
    }
