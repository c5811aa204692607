"""A standalone app and its person, against a real server: nothing but HTTP, as in a real life."""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.running import Server

REDIRECT_URI = "http://127.0.0.1:4999/cb"
PASSWORD = "smartauth-demo"
RESOURCE_SERVER = ("demo-resource-server", "demo-resource-server-secret")


def token(
    server: Server, user: str = "amy", client: str = "demo-public", scope: str = "patient/*.rs", **more: str
) -> str:
    """One that the running server hands out in development: `manage.py token`, without starting a process."""
    order = {"client": client, "user": user, "scope": scope, **more}
    response = httpx.post(f"{server.url}/dev/tokens", json=order, timeout=30)
    assert response.status_code == HTTPStatus.CREATED, response.text
    return str(response.json()["access_token"])


def read(server: Server, path: str, bearer: str | None, **headers: str) -> httpx.Response:
    """GET under the FHIR base."""
    shown = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
    return httpx.get(f"{server.url}/fhir/r4/{path}", headers={**shown, **headers}, timeout=30)


def introspect(server: Server, asked: str) -> dict[str, Any]:
    """What the bundled FHIR server's client hears."""
    response = httpx.post(f"{server.url}/o/introspect", data={"token": asked}, auth=RESOURCE_SERVER, timeout=30)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def revoke(server: Server, ended: str, client: str = "demo-public") -> httpx.Response:
    """A public client ends its token."""
    return httpx.post(f"{server.url}/o/revoke", data={"token": ended, "client_id": client}, timeout=30)


class Form(HTMLParser):
    """What a browser would send of the forms of a page if nobody touched them."""

    def __init__(self) -> None:
        super().__init__()
        self.filled: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and (found.get("type") == "hidden" or "checked" in found):
            self.filled.setdefault(found["name"] or "", []).append(found.get("value") or "")


@dataclass
class StandaloneLaunch:
    """One launch by one person in one browser, step by step."""

    server: Server
    username: str = "amy"
    password: str = PASSWORD
    client_id: str = "demo-public"
    scope: str = "launch/patient patient/*.rs"
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    patient: str = ""

    def __post_init__(self) -> None:
        self.browser = httpx.Client(base_url=self.server.url, timeout=30)

    @property
    def request(self) -> dict[str, str]:
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": self.scope,
            "state": self.state,
            "aud": f"{self.server.url}/fhir/r4",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }

    def code(self) -> str:
        """Signs in, chooses, allows; what the app is called back with."""
        called = parse_qs(urlsplit(self.allow(self.browser.get("/o/authorize", params=self.request))).query)
        assert called["state"] == [self.state]
        return called["code"][0]

    def allow(self, asked: httpx.Response) -> str:
        """Signs in, chooses, allows what an app has asked at authorize; the address where the app is called back."""
        page = send_form(self.browser, follow(self.browser, asked), username=self.username, password=self.password)
        if page.url.path.endswith("/patient"):
            page = send_form(self.browser, page, patient=self._choice(page))
        if page.status_code == HTTPStatus.OK:  # else it was allowed before, and nobody is asked again
            page = send_form(self.browser, page, answer="allow")
        return page.headers["Location"]

    def exchange(self, code: str) -> httpx.Response:
        """The code for a token."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier, "client_id": self.client_id,
        }  # fmt: skip
        return httpx.post(f"{self.server.url}/o/token", data=form, timeout=30)

    def _choice(self, page: httpx.Response) -> str:
        found = re.search(rf'value="(\d+)"[^>]*>(?:(?!value=).)*{re.escape(self.patient)}', page.text, re.DOTALL)
        assert found, page.text
        return found[1]


def send_form(browser: httpx.Client, page: httpx.Response, **fields: Any) -> httpx.Response:
    """The page's form as it stands, with these fields, and where it leads."""
    form = Form()
    form.feed(page.text)
    return follow(browser, browser.post(page.url.path, data={**form.filled, **fields}))


def follow(browser: httpx.Client, response: httpx.Response) -> httpx.Response:
    """Along the redirects within this server."""
    while response.status_code == 303 and response.headers["Location"].startswith("/"):
        response = browser.get(response.headers["Location"])
    return response
