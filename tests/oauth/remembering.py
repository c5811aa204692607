"""An app that may refresh, and access that lasts: what a later request can be remembered by."""

from typing import Any

import httpx

from oauth.models import Authorization
from tests.conftest import SECRET, VERIFIER, App, basic
from tests.fixture_types import MakeClient
from tests.oauth.visitor import Visitor, redirect_query

HTTPS = "https://app.example/cb"
OFFLINE = "launch/patient patient/Observation.rs patient/Condition.rs offline_access"
MAY_ASK = "launch launch/patient launch/encounter patient/*.cruds user/*.cruds offline_access online_access"


def refreshing_client(make_client: MakeClient, authentication: str = "secret", **fields: Any) -> Any:
    """A client that may refresh."""
    known = {"grants": "authorization_code refresh_token", "scope": MAY_ASK, "redirect_uris": HTTPS}
    return make_client(authentication, **{**known, **fields})


def exchange(app: App, client: Any, code: str, redirect_uri: str = HTTPS) -> dict[str, Any]:
    """What the token endpoint answers to the code."""
    secret = client.authentication == "secret"
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": VERIFIER,
        **({} if secret else {"client_id": client.client_id}),
    }  # fmt: skip
    response = app.post("/o/token", data=form, headers=basic(client.client_id, SECRET) if secret else {})
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def allow_for_good(
    app: App, visitor: Visitor, client: Any, person: Any, *, page: httpx.Response | None = None, **changes: Any
) -> dict[str, Any]:
    """The person allows what stands on the page, offline access too, and the app fetches its tokens."""
    request = {"scope": OFFLINE, "redirect_uri": HTTPS, **changes}
    page = page or visitor.reach_consent(client, person, **request)
    told = exchange(app, client, redirect_query(visitor.allow(page))["code"], request["redirect_uri"])
    assert "refresh_token" in told
    return told


def assert_refused(response: Any, error: str) -> None:
    """The app hears it at once, in the words of the list of bad input (E32, E33), and nothing is granted."""
    assert response.status_code == 303
    assert not response.headers["Location"].startswith("/")
    told = redirect_query(response)
    assert (told["error"], told["state"]) == (error, "state-of-the-app")
    assert told["iss"] == "http://127.0.0.1:8000"
    assert "code" not in told
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def grants(client: Any) -> int:
    return Authorization.objects.filter(client=client).count()
