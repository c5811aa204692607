"""A client that proves itself by assertions, and what the tests ask of the answers."""

from typing import Any

import httpx

from accounts import clock
from oauth.http.credentials import Credentials
from oauth.http.machine_request import MachineRequest
from smart.http.parameters import Parameters
from smart.time_units import SECOND
from tests.conftest import App, Granted
from tests.signing import Json, Pair, assertion_form, pair

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


# Without an endpoint --------------------------------------------------------------------------------------------------


def request_of(credentials: Credentials, *, now: int = 0, path: str = "/o/token", **parameters: str) -> MachineRequest:
    """A request that was read and parsed."""
    sent = Parameters(list(parameters.items()))
    return MachineRequest(path, {}, "192.0.2.7", sent, credentials, now or clock.now())


def signed(client_id: str, key: Pair, now: int, header: Json | None = None, **claims: Any) -> MachineRequest:
    """A request with an assertion that is good at that moment, but for what is said."""
    seconds = now // SECOND
    times = {"iat": seconds, "nbf": seconds, "exp": seconds + 240}
    assertion = key.assertion(client_id, header, **{**times, **claims})
    return request_of(Credentials("", None, assertion=assertion), now=now, **assertion_form(assertion))
