"""Which pages of which origins may read what (CORS), on both sides of the server."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from oauth.http import cors
from oauth.http.cors import cors_rule
from smart.http.cors import Cors
from tests.conftest import REDIRECT_URI, SECRET, App, basic
from tests.fixture_types import Issue, MakeClient

pytestmark = pytest.mark.one_engine

ORIGIN = "https://growthchart.example"
STRANGER = "https://stranger.example"
MACHINES = ["/o/token", "/o/revoke"]
USERINFO = "/o/userinfo"
FHIR = "/fhir/r4/Patient/amy"


@pytest.fixture
def registered(make_client: MakeClient) -> Any:
    """A client whose redirect URI lies at ORIGIN."""
    return make_client(redirect_uris=f"{ORIGIN}/cb")


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization",
    }


@pytest.mark.requirement("TV-28", "CO-02", "CO-03")
@pytest.mark.parametrize("path", [*MACHINES, USERINFO, FHIR])
def test_a_preflight_without_a_token_is_answered_for_a_registered_origin(app: App, registered: Any, path: str) -> None:
    response = app.request("OPTIONS", path, headers=preflight(ORIGIN))

    assert response.status_code in (200, 204)
    assert response.content == b""
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "Authorization" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers
    assert "Origin" in response.headers["vary"]


@pytest.mark.requirement("TV-28", "CO-04", "CO-05")
@pytest.mark.parametrize(
    ("method", "path"), [("GET", FHIR), ("POST", "/o/token"), ("POST", "/o/revoke"), ("GET", USERINFO)]
)
def test_a_refusal_can_be_read_by_a_registered_origin(app: App, registered: Any, method: str, path: str) -> None:
    response = app.request(method, path, headers={"Origin": ORIGIN})

    assert response.status_code in (400, 401)
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert "WWW-Authenticate" in response.headers["access-control-expose-headers"]


@pytest.mark.requirement("CO-02", "CO-07")
@pytest.mark.parametrize("path", [*MACHINES, USERINFO, FHIR])
@pytest.mark.parametrize("asked", ["preflight", "request"])
def test_an_origin_of_no_client_reads_nothing(app: App, registered: Any, path: str, asked: str) -> None:
    method = "OPTIONS" if asked == "preflight" else "POST"

    response = app.request(method, path, headers=preflight(STRANGER) if asked == "preflight" else {"Origin": STRANGER})

    assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.fixture
def theirs(make_client: MakeClient) -> Any:
    """Another client, whose redirect URI lies elsewhere."""
    return make_client("secret", redirect_uris="https://theirs.example/cb", grants="authorization_code refresh_token")


def readers(app: App, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> tuple[int, set[str]]:
    """The status of the answer, and which of three origins may read it."""
    asked = {
        origin: app.post(path, data=form, headers={**(headers or {}), "Origin": origin})
        for origin in (ORIGIN, "https://theirs.example", STRANGER)
    }
    (status,) = {response.status_code for response in asked.values()}
    assert all(response.headers["vary"] == "Origin" for response in asked.values())
    return status, {
        origin for origin, response in asked.items() if response.headers.get("access-control-allow-origin") == origin
    }


@pytest.mark.requirement("CO-02", "CO-03", "CO-04")
@pytest.mark.usefixtures("theirs")
def test_what_a_client_is_told_is_for_its_own_origins_and_not_for_those_of_others(app: App, registered: Any) -> None:
    form = {"grant_type": "authorization_code", "client_id": registered.client_id}

    assert readers(app, "/o/token", form) == (400, {ORIGIN})


@pytest.mark.requirement("CO-02", "CO-08")
@pytest.mark.usefixtures("registered")
def test_a_client_that_proves_itself_by_its_secret_revokes_from_its_own_origins(app: App, theirs: Any) -> None:
    proof = basic(theirs.client_id, SECRET)

    assert readers(app, "/o/revoke", {"token": "unknown"}, proof) == (200, {"https://theirs.example"})


@pytest.mark.requirement("CO-02", "WF-01")
@pytest.mark.usefixtures("theirs")
def test_a_token_got_by_a_refresh_without_client_id_is_for_the_origins_of_its_holder(
    app: App, make_client: MakeClient, issue: Issue
) -> None:
    scope = "offline_access patient/*.rs"
    fields = {"redirect_uris": f"{ORIGIN}/cb {REDIRECT_URI}", "scope": scope}
    client = make_client(grants="authorization_code refresh_token", **fields)
    form = {"grant_type": "refresh_token", "refresh_token": issue(client, scope=scope)["refresh_token"]}

    refused = app.post("/o/token", data={**form, "scope": "user/*.rs"}, headers={"Origin": "https://theirs.example"})
    given = app.post("/o/token", data=form, headers={"Origin": ORIGIN})

    assert (refused.status_code, given.status_code) == (400, 200)
    assert "access-control-allow-origin" not in refused.headers
    assert given.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.requirement("CO-04", "CL-03")
@pytest.mark.parametrize("path", MACHINES)
def test_the_headers_of_a_failed_authentication_do_not_tell_whether_a_client_exists(
    app: App, registered: Any, theirs: Any, path: str
) -> None:
    wrong = readers(app, path, {"token": "x"}, basic(theirs.client_id, "wrong"))
    unknown = readers(app, path, {"token": "x"}, basic("nobody-of-that-name", "wrong"))
    unnamed = readers(app, path, {"token": "x"})

    assert wrong == unknown == unnamed == (401, {ORIGIN, "https://theirs.example"})


@pytest.mark.requirement("CO-02")
def test_the_origin_of_a_disabled_client_reads_nothing(app: App, make_client: MakeClient) -> None:
    make_client(redirect_uris="https://gone.example/cb", enabled=0)

    response = app.post("/o/token", headers={"Origin": "https://gone.example"})

    assert response.status_code in (400, 401)
    assert "access-control-allow-origin" not in response.headers


def test_origins_follow_the_redirect_uris(make_client: MakeClient) -> None:
    client = make_client(redirect_uris="https://a.example/cb myapp:/cb http://127.0.0.1:5000/cb")
    client.redirect_uris = "https://b.example:8443/cb"

    client.save()

    assert list(client.origins.values_list("origin", flat=True)) == ["https://b.example:8443"]


@pytest.mark.requirement("CO-01", "DS-03")
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("path", ["/fhir/r4/metadata", "/fhir/r4/.well-known/smart-configuration"])
def test_public_documents_are_for_any_origin(app: App, fhir_server: Any, method: str, path: str) -> None:
    response = app.request(method, path, headers=preflight(STRANGER, "GET"))

    assert response.status_code in (200, 204)
    assert response.headers["access-control-allow-origin"] == "*"


def every_path(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """A path of every route, each variable part called like a public document, and what would lie below it."""
    for pattern in patterns:
        path = prefix + re.sub(r"<[^>]+>", "metadata", str(pattern.pattern)).replace("\\Z", "").strip("^$")
        if isinstance(pattern, URLResolver):
            yield from every_path(pattern.url_patterns, path)
        else:
            yield from (path, f"{path}/metadata", f"{path}/.well-known/smart-configuration")


@pytest.mark.requirement("CO-01", "CO-06", "SD-26")
def test_no_path_is_open_to_any_origin_but_those_of_the_public_documents() -> None:
    paths = set(every_path(get_resolver().url_patterns))

    assert "/fhir/r4/metadata/metadata" in paths
    assert {path for path in paths if cors_rule(path) is Cors.ANY} == {
        "/o/jwks",
        "/o/smart-configuration",
        "/o/style/metadata.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/fhir/metadata",
        "/fhir/metadata/.well-known/smart-configuration",
        *(f"/fhir/{version}/metadata" for version in ("dstu2", "stu3", "r4")),
        *(f"/fhir/{version}/.well-known/smart-configuration" for version in ("dstu2", "stu3", "r4")),
        "/fhir/elsewhere/metadata",
    }


@pytest.mark.requirement("CO-04", "SD-26")
@pytest.mark.parametrize("path", ["/fhir/r4/Patient/metadata", "/fhir/r4/Patient/.well-known/smart-configuration"])
def test_a_record_called_like_a_document_is_for_no_other_origin(app: App, registered: Any, path: str) -> None:
    response = app.request("GET", path, headers={"Origin": STRANGER})

    assert response.status_code == 401
    assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.requirement("CO-06", "CO-08")
@pytest.mark.parametrize("path", ["/o/authorize", "/login", "/o/introspect", "/admin/login/"])
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_pages_and_introspection_are_for_no_other_origin(app: App, registered: Any, method: str, path: str) -> None:
    response = app.request(method, path, headers=preflight(ORIGIN, "POST"))

    assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.fixture
def no_hints() -> None:
    """No origin has been warned of yet."""
    cors._log_foreign.cache_clear()


def hints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "smartauth.cors"]


@pytest.mark.requirement("CO-02")
@pytest.mark.usefixtures("no_hints")
@pytest.mark.parametrize("path", ["/o/token", FHIR])
def test_a_foreign_origin_leaves_one_hint_in_development_alone(
    app: App, make_client: MakeClient, settings: Any, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    make_client(redirect_uris="http://127.0.0.1:3456/cb", application_type="native")
    foreign = {"Origin": "http://localhost:3456"}

    settings.SMARTAUTH_DEV = False
    app.request("POST", path, headers=foreign)
    elsewhere = hints(caplog)
    settings.SMARTAUTH_DEV = True
    answers = [app.request("POST", path, headers=foreign) for _ in range(2)]
    (hint,) = hints(caplog)

    assert elsewhere == []
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)
    assert "http://localhost:3456" in hint
    assert "Registered is http://127.0.0.1:3456" in hint


@pytest.mark.usefixtures("no_hints")
def test_our_own_pages_need_no_hint(app: App, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    app.request("POST", "/o/token", headers={"Origin": settings.SMARTAUTH_ISSUER})

    assert hints(caplog) == []
