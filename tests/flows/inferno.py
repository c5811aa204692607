"""Inferno as a tester drives it: its clients of demo/testers.yaml, an EHR, and one person with a browser."""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.codes import CHALLENGE, VERIFIER
from tests.flows.app import PASSWORD, Form, follow, send_form
from tests.running import Server
from tests.signing import assertion_form, pair

Answer = dict[str, Any]
Choose = Callable[[httpx.Response], dict[str, Any]]
EC = pair("ES384")
INTROSPECTION = ("inferno-introspection", "inferno-introspection-secret")


def as_it_stands(page: httpx.Response) -> dict[str, Any]:
    """Everything that the page asks stays ticked."""
    return {}


class Inferno:
    """The suite: its clients, and the tester with the browser of one person."""

    def __init__(self, server: Server, address: str, username: str) -> None:
        self.server, self.address, self.username = server, address, username
        self.browser = httpx.Client(base_url=server.url, timeout=60)
        self.base = f"{server.url}/fhir/r4"
        self.redirect_uri = f"{address}/custom/smart/redirect"

    def launch(
        self, client: str, scope: str, *, post: bool = False, choose: Choose = as_it_stands, **more: str
    ) -> Answer:
        """A whole launch. The person meets the consent page, whatever was allowed before."""
        return self.exchanged(client, self.code(client, scope, post=post, choose=choose, **more))

    def code(self, client: str, scope: str, *, post: bool = False, choose: Choose = as_it_stands, **more: str) -> str:
        page = self.consent(client, scope, post=post, **more)
        answer = send_form(self.browser, page, answer="allow", **choose(page))
        called = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert answer.headers["Location"].startswith(self.redirect_uri)
        return called["code"][0]

    def consent(self, client: str, scope: str, *, post: bool = False, **more: str) -> httpx.Response:
        page = follow(self.browser, self.ask(client, scope, post=post, **more))
        if page.url.path.endswith("/login"):
            page = send_form(self.browser, page, username=self.username, password=PASSWORD)
        assert (page.status_code, page.url.path.rpartition("/")[2]) == (200, "consent"), page.headers
        return page

    def ask(self, client: str, scope: str, *, post: bool = False, **more: str) -> httpx.Response:
        request = {
            "response_type": "code", "client_id": client, "redirect_uri": self.redirect_uri,
            "scope": scope, "state": "a-state", "aud": self.base, "code_challenge_method": "S256",
            "code_challenge": CHALLENGE, **more,
        }  # fmt: skip
        path = "/o/authorize"
        return self.browser.post(path, data=request) if post else self.browser.get(path, params=request)

    def exchanged(self, client: str, code: str) -> Answer:
        answer = self.token(client, code=code)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        told: Answer = answer.json()
        return told

    def token(self, client: str, **form: str | None) -> httpx.Response:
        """A request at the token endpoint: of a code, unless the form says else."""
        exchange = {"redirect_uri": self.redirect_uri, "code_verifier": VERIFIER}
        known = {"grant_type": "authorization_code", **exchange} if "code" in form else {}
        sent = {name: value for name, value in {**known, **self._proof(client), **form}.items() if value is not None}
        secret = (client, f"{client}-secret") if client == "inferno-secret" else None
        return httpx.post(f"{self.server.url}/o/token", data=sent, auth=secret, timeout=60)

    def refreshed(self, client: str, told: Answer) -> Answer:
        answer = self.token(client, grant_type="refresh_token", refresh_token=told["refresh_token"])
        assert answer.status_code == 200, answer.text
        again: Answer = answer.json()
        assert (again["patient"], again["scope"]) == (told["patient"], told["scope"])
        return again

    def _proof(self, client: str) -> dict[str, str]:
        if client in ("inferno-keys", "inferno-backend", "inferno-bulk"):
            return assertion_form(EC.assertion(client, aud=f"{self.server.url}/o/token"))
        return {"client_id": client} if client == "inferno-public" else {}

    def read(self, told: Answer, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        return httpx.get(f"{self.base}/{path}", headers=headers, timeout=60)

    def introspected(self, token: str) -> Answer:
        """By the header that a tester enters."""
        header = {"Authorization": f"Basic {b64encode(':'.join(INTROSPECTION).encode()).decode()}"}
        answer = httpx.post(f"{self.server.url}/o/introspect", data={"token": token}, headers=header, timeout=60)
        assert answer.status_code == 200, answer.text
        told: Answer = answer.json()
        return told

    def ehr_launch(self, url: str, **context: Any) -> str:
        """What the launch URL of the suite gets, from a launch that the EHR prepared."""
        asked = {"client_id": "inferno-secret", "aud": self.base, "user": self.username, "launch_url": url, **context}
        made = httpx.post(f"{self.server.url}/o/launch", json=asked, auth=INTROSPECTION, timeout=60)
        assert made.status_code == 201, made.text
        opened = urlsplit(made.json()["launch_url"])
        assert (f"{opened.scheme}://{opened.netloc}{opened.path}", parse_qs(opened.query)["iss"]) == (url, [self.base])
        return str(parse_qs(opened.query)["launch"][0])

    def take_back_everything(self) -> None:
        """On the page of connected apps, what the suite calls the direction of the patient."""
        while found := re.search(r'action="(/apps/[^"/]+/end)"', (page := self.browser.get("/apps")).text):
            form = Form()
            form.feed(page.text)
            ended = self.browser.post(found[1], data={"csrfmiddlewaretoken": form.filled["csrfmiddlewaretoken"][0]})
            assert ended.status_code == 303, ended.text
