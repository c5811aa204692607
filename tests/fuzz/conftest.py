"""A server under attack: after each test it answers, has failed at nothing, and has lost nothing."""

from collections.abc import Iterator

import httpx
import pytest

from tests.running import Server

CALLER = {"client_id": "demo-resource-server", "client_secret": "demo-resource-server-secret"}
ENDPOINTS = [
    "/o/token", "/o/introspect", "/o/revoke", "/o/authorize", "/o/authorize/no-such-handle",
    "/o/authorize/no-such-handle/login", "/o/authorize/no-such-handle/patient", "/o/authorize/no-such-handle/consent",
    "/login", "/logout", "/", "/healthz", "/readyz", "/o/jwks", "/o/smart-configuration", "/admin/", "/admin/login/",
    "/.well-known/oauth-authorization-server", "/fhir/r4/.well-known/smart-configuration", "/fhir/r4/metadata",
    "/fhir/r4", "/fhir/r4/Patient", "/fhir/r4/Patient/amy", "/fhir/r4/Patient/_search", "/fhir/r4/Observation",
    "/fhir/r4/Patient/amy/_history", "/fhir/r4/Patient/amy/_history/1", "/fhir/r4/Nonsense/x", "/static/smartauth.css",
    "/no/such/page", "/o/launch", "/launcher", "/o/style/none.json", "/o/authorize/no-such-handle/another-user",
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """With the demo data. The tests of a file may take longer than a token usually lives."""
    made = Server(SMARTAUTH_ACCESS_TOKEN_SECONDS="3600")
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def alive(server: Server) -> str:
    """A token that must still live after everything."""
    return server.manage("token", "--client", "demo-public", "--user", "amy").strip()


@pytest.fixture(autouse=True)
def unharmed(server: Server, alive: str) -> Iterator[None]:
    before = (server.folder / "server.log").stat().st_size
    yield
    said = server.log(since=before)
    assert "Traceback" not in said, said
    assert " ERROR " not in said, said
    assert httpx.get(f"{server.url}/healthz", timeout=20).status_code == 200
    answer = httpx.post(f"{server.url}/o/introspect", data={"token": alive, **CALLER}, timeout=20)
    assert answer.json()["active"] is True
