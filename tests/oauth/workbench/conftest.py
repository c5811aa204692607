"""Somebody who asks `/dev/tokens` for tokens."""

import json
from typing import Any

import httpx
import pytest

from tests.conftest import App
from tests.fixture_types import MakeClient, MakePerson


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
