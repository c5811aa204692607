"""Which pages of which origins may read what (section 2), on both sides of the server."""

from typing import Any

import pytest

from tests.conftest import App, MakeClient

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


@pytest.mark.requirement("CO-02")
def test_the_origin_of_a_disabled_client_reads_nothing(app: App, make_client: MakeClient) -> None:
    make_client(redirect_uris="https://gone.example/cb", enabled=0)

    response = app.post("/o/token", headers={"Origin": "https://gone.example"})

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


@pytest.mark.requirement("CO-06", "CO-08")
@pytest.mark.parametrize("path", ["/o/authorize", "/login", "/o/introspect", "/admin/login/"])
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_pages_and_introspection_are_for_no_other_origin(app: App, registered: Any, method: str, path: str) -> None:
    response = app.request(method, path, headers=preflight(ORIGIN, "POST"))

    assert not [name for name in response.headers if name.startswith("access-control-")]
