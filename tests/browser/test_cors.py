"""Pages of other origins in Chromium: what their scripts may read of token and FHIR answers, refusals too."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser

from tests.codes import CHALLENGE, VERIFIER
from tests.running import Server

pytestmark = pytest.mark.browser
BLOCKED = "Failed to fetch"
MAKE = """
import json, secrets
from accounts import clock
from accounts.models import User
from smart.digests import random_token, sha256_hex
from oauth.models import Authorization, Client, Code
from tests.seeded import r4_server
server, now, person = r4_server(), clock.now(), User.objects.get_queryset().get(username="amy")
Client.objects.create(client_id=secrets.token_hex(8), redirect_uris={others!r})
client = Client.objects.create(client_id=secrets.token_hex(8), redirect_uris={own!r}, supersede="off",
    scope="patient/*.rs")
client.fhir_servers.add(server)
print(client.client_id)
for _ in range(4):
    granted = Authorization.objects.create(client=client, user=person, fhir_server=server, patient="amy",
        scope="patient/*.rs", context=json.dumps({{"patient": "amy"}}), client_epoch=0, user_epoch=person.epoch)
    code = random_token()
    Code.objects.create(digest=sha256_hex(code), authorization=granted, redirect_uri={own!r},
        code_challenge={challenge!r}, issued_at=now, expires_at=now + 600_000_000)
    print(code)
"""
FETCH = """
async ([url, form, headers]) => {
    const options = form ? {method: "POST", body: new URLSearchParams(form), headers} : {headers};
    try {
        const answer = await fetch(url, options);
        return [answer.status, await answer.text()];
    } catch (error) {
        return [0, error.message];
    }
}
"""


class Page(BaseHTTPRequestHandler):
    """An empty page of an app."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Apps:
    """The origins of three apps, the client of the first, and codes of its."""

    own: str
    others: str
    strangers: str
    client_id: str
    codes: list[str]

    def exchange(self) -> dict[str, str]:
        return {
            "grant_type": "authorization_code", "client_id": self.client_id, "code": self.codes.pop(),
            "redirect_uri": f"{self.own}/cb", "code_verifier": VERIFIER,
        }  # fmt: skip


@pytest.fixture(scope="module")
def apps(server: Server) -> Iterator[Apps]:
    serving = [ThreadingHTTPServer(("127.0.0.1", 0), Page) for _ in range(3)]
    for each in serving:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    own, others, strangers = (f"http://127.0.0.1:{each.server_port}" for each in serving)
    script = MAKE.format(own=f"{own}/cb", others=f"{others}/cb", challenge=CHALLENGE)
    client_id, *codes = server.manage("shell", "--no-imports", "-c", script).split()
    yield Apps(own, others, strangers, client_id, codes)
    for each in serving:
        each.shutdown()


class Fetch(Protocol):
    def __call__(self, origin: str, path: str, form: dict[str, str] | None = None, bearer: str = "") -> list[Any]: ...


@pytest.fixture
def fetch(chromium: Browser, server: Server) -> Iterator[Fetch]:
    """Status and text of what a script on that origin fetches, or 0 and why it may not read it."""
    context = chromium.new_context()
    page = context.new_page()

    def fetched(origin: str, path: str, form: dict[str, str] | None = None, bearer: str = "") -> list[Any]:
        page.goto(origin)
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer: list[Any] = page.evaluate(FETCH, [f"{server.url}{path}", form, headers])
        return answer

    yield fetched
    context.close()


@pytest.mark.requirement("CO-02", "CO-03")
def test_an_app_gets_a_token_and_reads_with_it_from_its_own_origin_only(apps: Apps, fetch: Fetch) -> None:
    status, text = fetch(apps.own, "/o/token", apps.exchange())
    token = json.loads(text)["access_token"]

    assert status == 200
    assert fetch(apps.own, "/fhir/r4/Patient/amy", bearer=token)[0] == 200
    for origin in (apps.others, apps.strangers):
        assert fetch(origin, "/o/token", apps.exchange()) == [0, BLOCKED]
        assert fetch(origin, "/fhir/r4/Patient/amy", bearer=token) == [0, BLOCKED]


@pytest.mark.requirement("CO-04", "CO-02")
def test_a_refusal_that_is_about_nobody_can_be_read_by_apps_and_not_by_strangers(apps: Apps, fetch: Fetch) -> None:
    wrong = {"grant_type": "authorization_code", "client_id": "nobody", "code": "x"}

    for origin in (apps.own, apps.others):
        assert fetch(origin, "/o/token", wrong)[0] == 401
        assert fetch(origin, "/fhir/r4/Patient/amy")[0] == 401
        assert fetch(origin, "/fhir/r4/Patient/amy", bearer="garbage")[0] == 401
    assert fetch(apps.strangers, "/o/token", wrong) == [0, BLOCKED]
    assert fetch(apps.strangers, "/fhir/r4/Patient/amy") == [0, BLOCKED]
    assert fetch(apps.strangers, "/fhir/r4/Patient/amy", bearer="garbage") == [0, BLOCKED]


@pytest.mark.requirement("CO-01", "CO-08")
@pytest.mark.parametrize(
    "path",
    [
        "/fhir/r4/metadata", "/fhir/r4/.well-known/smart-configuration", "/o/jwks",
        "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
    ],
)  # fmt: skip
def test_a_public_document_can_be_read_by_anybody(apps: Apps, fetch: Fetch, path: str) -> None:
    assert fetch(apps.strangers, path)[0] == 200
    assert fetch(apps.strangers, path, bearer="asked beforehand")[0] == 200


@pytest.mark.requirement("CO-06", "CO-08")
@pytest.mark.parametrize("path", ["/login", "/apps", "/o/authorize"])
def test_a_page_can_be_read_by_no_app(apps: Apps, fetch: Fetch, path: str) -> None:
    assert fetch(apps.own, path) == [0, BLOCKED]
    assert fetch(apps.own, "/o/introspect", {"token": "x"}) == [0, BLOCKED]
