"""A plain OpenID Connect client as the tests drive it."""

from typing import Any
from urllib.parse import urlencode

import httpx

from tests.conftest import SECRET, App, basic
from tests.oauth.remembering import HTTPS
from tests.oauth.visitor import Visitor, redirect_query

SCOPE = "openid profile email"


def ask(visitor: Visitor, client: Any, **changes: Any) -> httpx.Response:
    """What OpenID Connect demands of a request, and nothing else."""
    good = {"response_type": "code", "client_id": client.client_id, "redirect_uri": HTTPS, "scope": SCOPE}
    query = urlencode({name: value for name, value in {**good, **changes}.items() if value is not None}, doseq=True)
    return visitor.follow(visitor.request("GET", f"/o/authorize?{query}"))


def sign_in_and_allow(visitor: Visitor, client: Any, person: Any, **changes: Any) -> str:
    """The code that the app gets when the person signs in and allows everything."""
    page = visitor.sign_in(ask(visitor, client, **changes), person)
    return redirect_query(visitor.allow(page) if page.status_code == 200 else page)["code"]


def exchange(app: App, client: Any, code: str, *, in_body: bool = False, **more: str) -> httpx.Response:
    secret = {"client_id": client.client_id, "client_secret": SECRET}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": HTTPS, **(secret if in_body else {})}
    return app.post("/o/token", data={**form, **more}, headers={} if in_body else basic(client.client_id, SECRET))


def userinfo(app: App, told: dict[str, Any]) -> dict[str, Any]:
    response = app.get("/o/userinfo", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
