"""Decisions in headers, for gateways that read nothing else: nginx auth_request, Envoy ext_authz, Kong."""

import string
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import yaml

from introspection.gateway import parse_gateway_request
from smart.http.errors import InvalidRequest
from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Issue, MakeResourceServer
from tests.running import ROOT

PATH = "/access/v1/gateway"
FHIR_PATH = "/fhir/r4"  # of BASE
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"

Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(app: App, make_resource_server: MakeResourceServer) -> Ask:
    """Asks as nginx does: a GET without a body, whatever the client's request is. None takes a header away."""
    own = basic(make_resource_server().client_id, SECRET)["Authorization"]

    def get(token: str | None, url: str = "Patient/amy", *, path: str = PATH, **changed: str | None) -> httpx.Response:
        headers = {
            "Authorization": None if token is None else f"Bearer {token}",
            "X-Smartauth-Authorization": own,
            "X-Smartauth-Base": BASE,
            "X-Smartauth-Understands": "nothing",
            "X-Original-Method": "GET",
            "X-Original-URI": f"{FHIR_PATH}/{url}",
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        method = headers.pop("method", None) or "GET"
        return app.request(method, path, headers={name: each for name, each in headers.items() if each is not None})

    return get


def says(response: httpx.Response) -> dict[str, str]:
    """What it says of itself in headers, but for the reason that only development tells."""
    found = {name: value for name, value in response.headers.items() if name.startswith("x-smartauth-")}
    return {name.removeprefix("x-smartauth-"): found[name] for name in found if name != "x-smartauth-reason"}


@pytest.mark.requirement("PC-01", "PC-02")
def test_a_read_of_a_patient_is_decided_by_the_id(issue: Issue, ask: Ask) -> None:
    answer = issue()
    own, others = (ask(answer["access_token"], f"Patient/{key}") for key in ("amy", "ben"))

    assert (own.status_code, own.json()) == (200, {"decision": True})
    assert says(own)["view"] == "all"
    assert says(own)["client"] == answer["granted"].client.client_id
    assert (others.status_code, says(others)) == (403, {"status": "404"})
    assert (others.json()["resourceType"], others.json()["issue"][0]["code"]) == ("OperationOutcome", "not-found")


@pytest.mark.parametrize("url", ["Observation", "Observation?code=x", "Patient", "Observation/o-1"])
def test_a_conditional_yes_is_none_for_who_limits_nothing(issue: Issue, ask: Ask, url: str) -> None:
    token = issue()["access_token"]
    refused, limited = ask(token, url), ask(token, url, X_Smartauth_Understands="patient")

    assert (refused.status_code, says(refused)) == (403, {"status": "403"})
    assert refused.json()["issue"][0]["code"] == "forbidden"
    assert (limited.status_code, says(limited)["view"], says(limited)["patient"]) == (200, "patient", "amy")


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        (f"launch/patient patient/Observation.rs?category={CATEGORY}", "Observation"),
        ("launch/patient patient/Observation.rs", "Observation?_include=Observation:subject"),
        ("launch/patient patient/*.cruds", "Observation/o-1/_history/1?_include=*"),
    ],
    ids=["a granular scope", "a type without a scope is included", "what nobody can resolve is included"],
)
def test_what_the_compartment_of_one_patient_does_not_say_is_refused(
    issue: Issue, ask: Ask, scope: str, url: str
) -> None:
    refused = ask(issue(scope=scope)["access_token"], url, X_Smartauth_Understands="patient")
    assert (refused.status_code, refused.json()["resourceType"]) == (403, "OperationOutcome")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_who_limits_a_search_to_a_patient_does_not_write(issue: Issue, ask: Ask, method: str) -> None:
    """A write is judged by contents that no gateway sends along."""
    token = issue(scope="launch/patient patient/*.cruds")["access_token"]
    url = "Observation" if method == "POST" else "Observation/o-1"
    assert ask(token, url, X_Original_Method=method, X_Smartauth_Understands="patient").status_code == 403


@pytest.mark.requirement("TV-01", "TV-18")
@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, "Bearer"),
        ("Basic eDp5", "Bearer"),
        ("Bearer a b", 'Bearer error="invalid_token"'),
        ("Bearer a, Bearer b", 'Bearer error="invalid_token"'),
    ],
)
def test_without_a_token_there_is_a_challenge(ask: Ask, authorization: str | None, challenge: str) -> None:
    response = ask(None, Authorization=authorization)

    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, challenge)
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.requirement("TV-05", "TV-07")
def test_a_token_that_opens_nothing_is_401(app: App, issue: Issue, ask: Ask) -> None:
    answer = issue()
    token = answer["access_token"]
    elsewhere = ask(token, X_Smartauth_Base="https://other.example.org/fhir/r4")
    app.post("/o/revoke", data={"token": token, "client_id": answer["granted"].client.client_id})

    for response in (elsewhere, ask(token), ask("never-was")):
        assert (response.status_code, says(response)) == (401, {"status": "401"})
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.requirement("TV-20", "IX-20")
@pytest.mark.parametrize("url", ["Condition/c-1", "Condition/unknown", "Condition"])
def test_a_scope_that_is_missing_is_403_with_its_challenge(issue: Issue, ask: Ask, url: str) -> None:
    response = ask(issue(scope="launch/patient patient/Observation.rs")["access_token"], url)

    assert (response.status_code, says(response)) == (403, {"status": "403"})
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


@pytest.mark.requirement("PC-21")
@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("GET", f"{FHIR_PATH}/Patient/ben/../amy"),
        ("GET", f"{FHIR_PATH}/Patient/ben%2f..%2famy"),
        ("GET", f"{FHIR_PATH}//Patient/amy"),
        ("GET", f"{FHIR_PATH}/Patient/amy#/ben"),
        ("GET", f"{FHIR_PATH}/Patient/amy/$everything"),
        ("GET", f"{FHIR_PATH}\\Patient/amy"),
        ("GET", f"{FHIR_PATH}"),
        ("GET", "/fhir/r44/Patient/amy"),
        ("GET", "/FHIR/r4/Patient/amy"),
        ("GET", f"http://127.0.0.1:8000{FHIR_PATH}/Patient/amy"),
        ("GET", f"{FHIR_PATH}/Patient?{'a=1&' * 101}"),
        ("GET", f"{FHIR_PATH}/Patient?{'a' * 8192}"),
        ("get", f"{FHIR_PATH}/Patient/amy"),
        ("POST", f"{FHIR_PATH}/Patient/_search"),
        ("TRACE", f"{FHIR_PATH}/Patient/amy"),
    ],
)
def test_what_is_not_plainly_below_the_base_is_refused(issue: Issue, ask: Ask, method: str, uri: str) -> None:
    token = issue(scope="launch/patient patient/*.cruds")["access_token"]
    response = ask(token, X_Original_Method=method, X_Original_URI=uri, X_Smartauth_Understands="patient")
    assert response.status_code == 403


def behind(url: str) -> dict[str, Any]:
    """As Envoy asks: with the client's method, its URL behind the endpoint's."""
    return {"path": f"{PATH}{FHIR_PATH}/{url}", "X_Original_Method": None, "X_Original_URI": None}


def test_a_url_behind_the_endpoint_is_the_clients(issue: Issue, ask: Ask) -> None:
    token = issue()["access_token"]

    assert ask(token, **behind("Patient/amy")).status_code == 200
    assert ask(token, **behind("Patient/ben")).status_code == 403
    assert ask(token, **behind("Patient/amy"), method="DELETE").status_code == 403
    chained = ask(token, **behind("Observation?subject.name=x"), X_Smartauth_Understands="patient")
    assert (chained.status_code, says(chained)) == (403, {"status": "400"})


def test_proxies_may_forward_method_and_url_under_their_own_names(issue: Issue, ask: Ask) -> None:
    token = issue()["access_token"]
    forwarded = {"X_Forwarded_Method": "GET", "X_Original_Method": None, "X_Original_URI": None}

    assert ask(token, **forwarded, X_Forwarded_URI=f"{FHIR_PATH}/Patient/amy").status_code == 200
    assert ask(token, **forwarded, X_Forwarded_URI=f"{FHIR_PATH}/Patient/ben").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"X_Original_Method": None},
        {"X_Original_URI": None},
        {"X_Original_Method": None, "X_Original_URI": None},
        {"X_Forwarded_URI": f"{FHIR_PATH}/Patient/amy"},
        {"X_Forwarded_Method": "GET", "X_Forwarded_URI": f"{FHIR_PATH}/Patient/amy"},
        {"path": f"{PATH}{FHIR_PATH}/Patient/amy"},
        {"X_Smartauth_Base": None},
        {"X_Smartauth_Base": "fhir"},
        {"X_Smartauth_Understands": None},
        {"X_Smartauth_Understands": "everything"},
        {"X_Smartauth_Authorization": None},
        {"X_Smartauth_Authorization": "Basic eDp5"},
        {"X_Smartauth_Authorization": "Basic no"},
    ],
    ids=lambda changed: ", ".join(f"{name} {value}" for name, value in changed.items()),
)
def test_what_is_wrong_with_the_gateway_is_never_told_as_something_about_the_token(
    issue: Issue, ask: Ask, changed: dict[str, Any]
) -> None:
    response = ask(issue()["access_token"], **changed)

    assert response.status_code == 500
    assert response.json()["error"] in ("invalid_client", "invalid_request")
    assert "www-authenticate" not in response.headers


def scope_of(below: str = "", query: str = "", client: Any = ("192.0.2.7", 5), **lines: str) -> dict[str, Any]:
    """A request as the server has it, its URL behind the endpoint's."""
    own = {"x-smartauth-authorization": basic("gateway", SECRET)["Authorization"], "authorization": "Bearer abc"}
    known = {**own, "x-smartauth-base": BASE, "x-smartauth-understands": "nothing"}
    named = known | {name.replace("_", "-"): value for name, value in lines.items()}
    raw = {"raw_path": f"{PATH}{below}".encode(), "query_string": query.encode(), "path": PATH, "method": "GET"}
    return {**raw, "client": client, "headers": [(key.encode(), value.encode()) for key, value in named.items()]}


@pytest.mark.requirement("SD-27")
@pytest.mark.parametrize(
    ("below", "query", "url"),
    [("Observation", "code=x", "Observation?code=x"), ("Observation", "", "Observation")],
)
def test_a_url_behind_the_endpoint_is_read_with_its_query(below: str, query: str, url: str) -> None:
    scope = scope_of(f"{FHIR_PATH}/{below}", query)

    request = parse_gateway_request(scope, dict(scope["headers"]), b"")

    assert request.members["context"]["http"] == {"method": "GET", "url": url}
    assert request.peer == "192.0.2.7"


@pytest.mark.requirement("SD-27")
def test_a_query_of_the_endpoint_itself_is_no_url_of_a_client() -> None:
    original = {"x_original_method": "GET", "x_original_uri": f"{FHIR_PATH}/Observation/o"}
    scope = scope_of("", "a=b", None, **original)

    request = parse_gateway_request(scope, dict(scope["headers"]), b"")

    assert request.members["context"]["http"]["url"] == "Observation/o"
    assert request.peer == ""
    with pytest.raises(InvalidRequest, match="the request must be told in one way"):
        parse_gateway_request(scope_of(), dict(scope["headers"]), b"")


@pytest.mark.parametrize("name", ["X-Smartauth-Base", "X-Smartauth-Understands", "X-Original-Method", "X-Original-URI"])
def test_a_header_that_came_twice_could_be_the_clients(
    app: App, issue: Issue, make_resource_server: MakeResourceServer, name: str
) -> None:
    headers = {
        "Authorization": f"Bearer {issue()['access_token']}",
        "X-Smartauth-Authorization": basic(make_resource_server().client_id, SECRET)["Authorization"],
        "X-Smartauth-Base": BASE,
        "X-Smartauth-Understands": "nothing",
        "X-Original-Method": "GET",
        "X-Original-URI": f"{FHIR_PATH}/Patient/amy",
    }
    twice = [*headers.items(), (name, headers[name])]

    assert app.get(PATH, headers=headers).status_code == 200
    assert app.request("GET", PATH, headers=twice).status_code == 500


def test_the_recipe_of_envoy_asks_with_all_that_must_be_said(
    app: App, issue: Issue, make_resource_server: MakeResourceServer
) -> None:
    """It sends method, path and Authorization of the client by itself, and what it is told to add."""
    own = basic(make_resource_server().client_id, SECRET)["Authorization"].removeprefix("Basic ")
    template = (ROOT / "docs/recipes/envoy/envoy.yaml").read_text(encoding="utf-8")
    values = {"FHIR_BASE": BASE, "FHIR_PATH": FHIR_PATH, "CREDENTIALS": own, "SMARTAUTH": "http://127.0.0.1:8000"}
    ports = dict.fromkeys(("PORT", "SMARTAUTH_PORT", "UPSTREAM_PORT", "SMARTAUTH_HOST", "UPSTREAM_HOST"), "1")
    envoy = yaml.safe_load(string.Template(template).substitute(values, **ports))
    connection = envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    asks = connection["http_filters"][0]["typed_config"]["http_service"]
    added = {each["key"]: each["value"] for each in asks["authorization_request"]["headers_to_add"]}
    token = {"Authorization": f"Bearer {issue()['access_token']}"}

    own_record, others = (
        app.get(f"{asks['path_prefix']}{FHIR_PATH}/Patient/{key}", headers={**token, **added}) for key in ("amy", "ben")
    )

    assert (own_record.status_code, others.status_code) == (200, 403)
