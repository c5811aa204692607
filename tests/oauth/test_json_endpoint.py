"""Who calls the JSON endpoints proves himself as everywhere, also by keys that have to be fetched first (CL-14)."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import SECRET, App, MakeClient, basic
from tests.publishing import Publisher, published
from tests.signing import jwks, pair, shown

EC = pair("ES384")
ENDPOINTS = ("/o/invalidate", "/o/report", "/o/launch")
NOBODY = {"sub": "nobody-of-that-name"}


def sent(app: App, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return app.post(path, content=json.dumps(body), headers={"Content-Type": "application/json", **headers})


def keeps(caller: Any, publisher: Publisher) -> None:
    """Lets the client prove itself by the keys at that address from now on."""
    type(caller).objects.filter(pk=caller.pk).update(
        authentication="keys", secret_digest="", jwks="", jwks_uri=publisher.url
    )


@pytest.mark.requirement("CL-14", "RG-03")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_keys_that_are_not_known_yet_are_fetched(app: App, make_resource_server: Callable[..., Any], path: str) -> None:
    caller = make_resource_server()
    with published(jwks(EC)) as publisher:
        keeps(caller, publisher)

        response = sent(app, path, {**NOBODY, **shown(EC.assertion(caller.client_id))})

    assert len(publisher.asked) == 1
    assert response.status_code in (200, 400), response.text  # who asks is known; what is asked is another matter


@pytest.mark.requirement("E99", "CL-14")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_keys_that_cannot_be_fetched_prove_nobody(
    app: App, make_resource_server: Callable[..., Any], path: str
) -> None:
    caller = make_resource_server()
    with published("<html>") as publisher:
        keeps(caller, publisher)

        response = sent(app, path, {**NOBODY, **shown(EC.assertion(caller.client_id))})

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="smartauth"'


@pytest.mark.requirement("E54")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_secret_and_an_assertion_at_once_are_refused(
    app: App, make_resource_server: Callable[..., Any], make_client: MakeClient, path: str
) -> None:
    caller = make_resource_server()
    other = make_client("keys", jwks=jwks(EC))
    body = {**NOBODY, **shown(EC.assertion(other.client_id))}

    response = sent(app, path, body, **basic(caller.client_id, SECRET))

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert response.headers["Cache-Control"] == "no-store"
