"""A tool that asks `/dev/tokens` for tokens, and a person who fills in its page."""

import json
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.conftest import App
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import FORM, Visitor, hidden_fields


class Asker:
    """Asks for tokens of one client and person, who are in no other test."""

    def __init__(self, app: App, client: Any, person: Any) -> None:
        self.app, self.client, self.person = app, client, person

    def post(self, **members: Any) -> httpx.Response:
        body = {"client": self.client.client_id, "user": self.person.username, **members}
        content = json.dumps({name: value for name, value in body.items() if value is not None})
        return self.app.post("/dev/tokens", content=content, headers={"Content-Type": "application/json"})

    def get(self, **members: Any) -> dict[str, Any]:
        response = self.post(**members)
        assert response.status_code == 201, response.text
        assert response.headers["Cache-Control"] == "no-store"
        found: dict[str, Any] = response.json()
        return found


@pytest.fixture
def asker(app: App, make_client: MakeClient, make_person: MakePerson) -> Asker:
    return Asker(app, make_client(), make_person("amy"))


class Chooser:
    """Fills in the form for a client and person who are in no other test."""

    def __init__(self, visitor: Visitor, client: Any, person: Any) -> None:
        self.visitor, self.client, self.person = visitor, client, person

    def send(self, kind: str, to: str = "/dev/tokens/new", **fields: str) -> httpx.Response:
        page = self.visitor.request("GET", "/dev/tokens")
        who = {"client": self.client.client_id, "user": self.person.username, "scope": "patient/*.rs"}
        body = urlencode({**hidden_fields(page), **who, "kind": kind, **fields})
        return self.visitor.request("POST", to, content=body, headers=FORM)

    def get(self, kind: str, **fields: str) -> str:
        """The page as read."""
        page = self.send(kind, **fields)
        assert page.status_code == 200, page.text
        return unescape(page.text)


@pytest.fixture
def chooser(visitor: Visitor, make_client: MakeClient, make_person: MakePerson) -> Chooser:
    return Chooser(visitor, make_client(), make_person("amy"))
