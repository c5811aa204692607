"""Apps that refresh, and services that ask for themselves."""

from typing import Any

import httpx
import pytest

from tests.conftest import SECRET, App, basic
from tests.fixture_types import Issue, MakeClient
from tests.oauth.tokens import service_client
from tests.oauth.tokens.refresh_client import SCOPE, Refresh
from tests.oauth.tokens.service_client import Ask


@pytest.fixture
def make_app(make_client: MakeClient) -> MakeClient:
    """A new client that may refresh."""

    def make(authentication: str = "none", **fields: Any) -> Any:
        known = {"grants": "authorization_code refresh_token", "scope": f"{SCOPE} online_access patient/*.cruds"}
        return make_client(authentication, **{**known, **fields})

    return make


@pytest.fixture
def launch(issue: Issue, make_app: MakeClient) -> Issue:
    """The token answer of a launch with offline_access."""

    def make(client: Any = None, person: Any = None, **options: Any) -> dict[str, Any]:
        return issue(client or make_app(), person, **{"scope": SCOPE, **options})

    return make


@pytest.fixture
def refresh(app: App) -> Refresh:
    """One refresh as its client sends it, with changes; None leaves a parameter out."""

    def send(answer: dict[str, Any], **changes: str | None) -> httpx.Response:
        client = answer["granted"].client
        public = client.authentication == "none"
        form: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "refresh_token": answer.get("refresh_token"),
            "client_id": client.client_id if public else None,
            **changes,
        }
        headers = {} if public else basic(client.client_id, SECRET)
        sent = {name: value for name, value in form.items() if value is not None}
        return app.post("/o/token", data=sent, headers=headers)

    return send


@pytest.fixture
def make_service(make_client: MakeClient) -> MakeClient:
    """A backend service that proves itself by a secret, which is switched on for it."""

    def make(authentication: str = "secret", **fields: Any) -> Any:
        known = {
            "grants": "client_credentials",
            "redirect_uris": "",
            "scope": service_client.SCOPE,
            "backend_by_secret": 1,
        }
        return make_client(authentication, **{**known, **fields})

    return make


@pytest.fixture
def ask(app: App) -> Ask:
    """A token request of that client, by its secret if it has one."""

    def post(client: Any, scope: str | None = "system/Patient.r", **changes: str | None) -> httpx.Response:
        form = {"grant_type": "client_credentials", "scope": scope, **changes}
        secret = client.authentication == "secret"
        form |= {} if secret else {"client_id": client.client_id}
        headers = basic(client.client_id, SECRET) if secret else {}
        return app.post("/o/token", data={k: v for k, v in form.items() if v is not None}, headers=headers)

    return post
