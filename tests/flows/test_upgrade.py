"""Databases of earlier migrations: `migrate` brings them here, and what they hold is served and refused as before."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import basic
from tests.flows.older_database import EVENT, TOKENS
from tests.running import Server
from tests.tables import rows


@pytest.fixture(params=["first", pytest.param("last", marks=pytest.mark.sqlite)])
def upgraded(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server on databases that an earlier state made and filled."""
    server = Server()
    try:
        server._run("-m", "tests.flows.older_database", request.param)
        server._run("-m", "smartauth", "migrate")
        yield server.start()
    finally:
        server.remove()


def introspected(server: Server, token: str) -> dict[str, object]:
    answer = httpx.post(f"{server.url}/o/introspect", data={"token": token}, headers=basic("the-clinic", "its secret"))
    found: dict[str, object] = answer.raise_for_status().json()
    return found


def test_what_an_earlier_state_holds_is_served_after_the_upgrade(upgraded: Server) -> None:
    told = {token: introspected(upgraded, token) for token in TOKENS}

    assert told["alive"]["active"] is True
    assert told["alive"]["patient"] == "amy"
    assert told["over"] == told["taken back"] == {"active": False}

    form = {"grant_type": "refresh_token", "refresh_token": "refresh", "client_id": "an-app"}
    refreshed = httpx.post(f"{upgraded.url}/o/token", data=form)

    assert refreshed.status_code == 200, refreshed.text
    assert introspected(upgraded, refreshed.json()["access_token"])["active"] is True
    httpx.post(f"{upgraded.url}/o/revoke", data={"token": "alive", "client_id": "an-app"}).raise_for_status()
    assert introspected(upgraded, "alive") == {"active": False}
    upgraded.manage("shell", "--no-imports", "-c", "from audit.shipping import ship; ship()")
    assert rows(upgraded, "audit", f"SELECT kind, client FROM audit_securityevent WHERE event_id = '{EVENT}'") == [
        ("issued", "an-app")
    ]
