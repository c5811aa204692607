"""The callers that a development server answers."""

from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from tests.conftest import App

pytestmark = pytest.mark.one_engine

PATHS = ["/", "/login", "/o/token", "/o/introspect", "/o/revoke", "/healthz", "/fhir/r4/metadata", "/static/x.css"]
STRANGER, CONTAINER = "203.0.113.9", "172.17.0.5"


def asked(app: App, path: str, *, peer: str, method: str = "GET", host: str = "127.0.0.1:8000") -> int:
    """The status of the answer to a peer at that address."""
    from smartauth.asgi import application

    async def ask() -> int:
        transport = httpx.ASGITransport(application, client=(peer, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return (await client.request(method, path, headers={"Host": host})).status_code

    status: int = app.run(ask())
    return status


@pytest.mark.requirement("SB-07")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("peer", [STRANGER, "10.0.0.7", "2001:db8::7", "fe80::1"])
def test_another_machine_is_not_answered(app: App, path: str, peer: str) -> None:
    assert asked(app, path, peer=peer) == 403


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_answered(app: App, peer: str) -> None:
    assert asked(app, "/login", peer=peer) == 200
    assert asked(app, "/o/token", peer=peer, method="POST") == 400


def test_a_network_of_the_setting_is_answered_and_its_neighbour_is_not(app: App, settings: Any) -> None:
    settings.SMARTAUTH_DEV_NETWORKS = (ip_network("172.17.0.0/16"), ip_network("fd00::/8"))

    assert asked(app, "/login", peer=CONTAINER) == 200
    assert asked(app, "/login", peer="fd00::7") == 200
    assert asked(app, "/login", peer="172.18.0.5") == 403


@pytest.mark.requirement("E131")
@pytest.mark.parametrize("path", ["/", "/login", "/o/token", "/o/introspect", "/o/revoke", "/static/smartauth.css"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "evil.example:80"])
def test_a_page_that_rebinds_its_name_reaches_no_path(app: App, path: str, host: str) -> None:
    assert asked(app, path, peer="127.0.0.1", host=host) == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/o/jwks"])
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "lb.internal", "[2001:db8::1]", "a_b"])
def test_health_and_keys_are_told_under_any_name(app: App, path: str, host: str) -> None:
    assert asked(app, path, peer="127.0.0.1", host=host) == 200


def test_in_production_every_peer_is_answered(app: App, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    assert asked(app, "/login", peer=STRANGER) == 200
