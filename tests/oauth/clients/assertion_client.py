"""A client that proves itself by assertions, and what the tests ask of the answers."""

from typing import Any

import httpx

from tests.conftest import App, Granted
from tests.signing import assertion_form, pair

EC, RSA = pair("ES384"), pair("RS384")


def exchange(app: App, granted: Granted, assertion: str, **others: Any) -> httpx.Response:
    return app.post("/o/token", data=granted.exchange(**{**assertion_form(assertion), **others}))


def is_refused(response: httpx.Response) -> bool:
    """401 as every failed client authentication reads, not cached, with the challenge."""
    return (
        response.status_code == 401
        and response.json()["error"] == "invalid_client"
        and response.json()["error_description"].startswith("client authentication failed")
        and response.headers["www-authenticate"] == 'Basic realm="smartauth"'
        and response.headers["cache-control"] == "no-store"
        and response.headers["pragma"] == "no-cache"
    )


def still_works(app: App, granted: Granted) -> bool:
    """Whether nothing was used up: the code buys its token with a good assertion (WF-04)."""
    return exchange(app, granted, EC.assertion(granted.client.client_id)).status_code == 200


# At every endpoint ----------------------------------------------------------------------------------------------------


def at(app: App, path: str, assertion: str) -> httpx.Response:
    return app.post(path, data={"token": "unknown", **assertion_form(assertion)})
