"""A caller of the JSON endpoints is authenticated as everywhere, also by keys that have to be fetched first (CL-14)."""

import asyncio
import json
import threading
from typing import Any

import httpx
import pytest
from django.conf import settings as configured

from oauth.clients import jwks_fetch
from tests.conftest import SECRET, App, basic
from tests.fixture_types import MakeClient, MakeResourceServer
from tests.publishing import Publisher, publisher_of
from tests.signing import assertion_form, jwks, pair

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
def test_keys_that_are_not_known_yet_are_fetched(app: App, make_resource_server: MakeResourceServer, path: str) -> None:
    caller = make_resource_server()
    with publisher_of(jwks(EC)) as publisher:
        keeps(caller, publisher)

        response = sent(app, path, {**NOBODY, **assertion_form(EC.assertion(caller.client_id))})

    assert len(publisher.asked) == 1
    assert response.status_code in (200, 400), response.text  # who asks is known; what is asked is another matter


@pytest.mark.requirement("E99", "CL-14")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_keys_that_cannot_be_fetched_prove_nobody(
    app: App, make_resource_server: MakeResourceServer, path: str
) -> None:
    caller = make_resource_server()
    with publisher_of("<html>") as publisher:
        keeps(caller, publisher)

        response = sent(app, path, {**NOBODY, **assertion_form(EC.assertion(caller.client_id))})

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["WWW-Authenticate"] == 'Basic realm="smartauth"'


@pytest.mark.requirement("E54")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_secret_and_an_assertion_at_once_are_refused(
    app: App, make_resource_server: MakeResourceServer, make_client: MakeClient, path: str
) -> None:
    caller = make_resource_server()
    other = make_client("keys", jwks=jwks(EC))
    body = {**NOBODY, **assertion_form(EC.assertion(other.client_id))}

    response = sent(app, path, body, **basic(caller.client_id, SECRET))

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert response.headers["Cache-Control"] == "no-store"


def test_slow_hosts_of_clients_hold_up_no_page(
    app: App, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many callers at once as there are threads, each with keys at a host that never answers."""
    monkeypatch.setattr(jwks_fetch, "SECONDS", 4.0)
    threads, over = configured.SMARTAUTH_WEB_THREADS, threading.Event()
    with publisher_of() as tarpit:
        tarpit.respond = lambda _: [over.wait(20)].clear()
        slow = [make_client("keys", jwks_uri=f"{tarpit.url}/{number}").client_id for number in range(threads)]
        bodies = [json.dumps({**NOBODY, **assertion_form(EC.assertion(client_id))}) for client_id in slow]

        async def among_them() -> tuple[int, list[int]]:
            headers = {"Content-Type": "application/json"}
            posts = (app._client.post("/o/invalidate", content=body, headers=headers) for body in bodies)
            waiting = [asyncio.create_task(post) for post in posts]
            while len(tarpit.asked) < threads // 2:  # noqa: ASYNC110  # the requests arrive in other threads
                await asyncio.sleep(0.05)
            page = await app._client.get("/o/jwks")
            assert not over.is_set()
            assert sum(not each.done() for each in waiting) >= threads // 2
            return page.status_code, sorted([(await each).status_code for each in waiting])

        status, others = app.run(among_them())
        over.set()

    assert status == 200
    assert others == [401] * (threads // 2) + [503] * (threads - threads // 2)
