"""One token, two addresses: what the bundled FHIR server lets in, for a browser's app and for a server's (TV-25)."""

from typing import Any

import httpx
import pytest

from tests.flows.app import REDIRECT_URI, StandaloneLaunch, follow, introspect
from tests.running import Server
from tests.tables import rows

HOME, ELSEWHERE = "127.0.0.1", "127.0.0.2"
SHIPPED = "audit_securityevent"
CONFIRM = "Please enter your password again"


class BrowserApp(StandaloneLaunch):
    """A public app: person, app and FHIR requests come from one device."""


class ServerApp(StandaloneLaunch):
    """A confidential app: the person's browser is elsewhere than the server that holds its tokens."""

    def __post_init__(self) -> None:
        self.client_id = "demo-symmetric"
        transport = httpx.HTTPTransport(local_address="127.0.0.3")
        self.browser = httpx.Client(base_url=self.server.url, timeout=30, transport=transport)

    def exchange(self, code: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier,
        }  # fmt: skip
        proof = (self.client_id, f"{self.client_id}-secret")
        return httpx.post(f"{self.server.url}/o/token", data=form, auth=proof, timeout=30)


def read_from(server: Server, address: str, bearer: str, **headers: str) -> httpx.Response:
    """amy's record, asked for from that address."""
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(transport=transport, timeout=30) as client:
        shown = {"Authorization": f"Bearer {bearer}", **headers}
        return client.get(f"{server.url}/fhir/r4/Patient/amy", headers=shown)


def policy(server: Server, client_id: str, chosen: str) -> None:
    changed = f"UPDATE oauth_client SET address_policy = '{chosen}' WHERE client_id = '{client_id}' RETURNING 1"
    assert rows(server, "main", changed) == [(1,)]


def noticed(server: Server, client_id: str) -> list[str]:
    """The addresses of the events that tell of a new address of this client."""
    said = f"SELECT address, reason FROM {{}} WHERE kind = 'address-changed' AND client = '{client_id}' ORDER BY id"
    waiting = rows(server, "main", said.format("audit_outboxevent"))
    return [f"{address} {reason}" for address, reason in [*waiting, *rows(server, "audit", said.format(SHIPPED))]]


def is_refused(answer: httpx.Response) -> bool:
    header = answer.headers.get("WWW-Authenticate", "")
    return answer.status_code == 401 and 'error="invalid_token"' in header


@pytest.mark.requirement("TV-25", "SD-06", "PR-06")
@pytest.mark.parametrize("kind", [BrowserApp, ServerApp], ids=["browser app", "server-side app"])
def test_under_block_the_second_address_is_let_in_after_a_new_login(server: Server, kind: Any) -> None:
    launch = kind(server)
    policy(server, launch.client_id, "block")
    known = len(noticed(server, launch.client_id))
    token = launch.exchange(launch.code()).json()["access_token"]

    assert read_from(server, HOME, token).status_code == 200
    assert is_refused(read_from(server, ELSEWHERE, token))
    assert read_from(server, HOME, token).status_code == 200

    page = follow(launch.browser, launch.browser.get("/o/authorize", params=launch.request))
    assert CONFIRM in page.text
    newer = launch.exchange(launch.code()).json()["access_token"]
    assert read_from(server, ELSEWHERE, newer).status_code == 200
    assert is_refused(read_from(server, HOME, newer))
    assert [line.split()[0] for line in noticed(server, launch.client_id)[known:]] == [ELSEWHERE, HOME]


@pytest.mark.requirement("TV-25", "PR-06")
@pytest.mark.parametrize("kind", [BrowserApp, ServerApp], ids=["browser app", "server-side app"])
def test_under_flag_both_are_let_in_and_it_is_noticed(server: Server, kind: Any) -> None:
    launch = kind(server)
    policy(server, launch.client_id, "flag")
    known = len(noticed(server, launch.client_id))
    token = launch.exchange(launch.code()).json()["access_token"]
    assert read_from(server, HOME, token).status_code == 200
    before = introspect(server, token)["__ip_flag"]

    statuses = [read_from(server, ELSEWHERE, token).status_code for _ in range(3)]

    assert (before, introspect(server, token)["__ip_flag"]) == (False, True)
    assert statuses == [200] * 3
    assert [line.split()[0] for line in noticed(server, launch.client_id)[known:]] == [ELSEWHERE]


@pytest.mark.requirement("PR-05", "TV-26")
def test_a_header_that_no_proxy_of_ours_wrote_brings_nobody_home(server: Server) -> None:
    launch = BrowserApp(server)
    policy(server, launch.client_id, "block")
    token = launch.exchange(launch.code()).json()["access_token"]
    assert read_from(server, HOME, token).status_code == 200

    for name in ("X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP"):
        assert is_refused(read_from(server, ELSEWHERE, token, **{name: HOME}))
    assert is_refused(read_from(server, ELSEWHERE, token, Forwarded=f"for={HOME}"))


@pytest.mark.requirement("PR-05")
def test_behind_a_trusted_proxy_the_address_is_the_one_that_the_proxy_saw() -> None:
    server = Server(SMARTAUTH_TRUSTED_PROXIES="1")
    try:
        server.prepare()
        server.start()
        launch = BrowserApp(server)
        policy(server, launch.client_id, "block")
        token = launch.exchange(launch.code()).json()["access_token"]

        def through(forwarded: str) -> httpx.Response:
            return read_from(server, HOME, token, **{"X-Forwarded-For": forwarded})

        assert through("203.0.113.5").status_code == 200
        assert through("198.51.100.9, 203.0.113.5").status_code == 200
        assert is_refused(through("198.51.100.9"))
        assert is_refused(through("203.0.113.5, 198.51.100.9"))
    finally:
        server.remove()
