"""Introspection that misbehaves on purpose, by a real server: the bundled FHIR server lets nobody in by mistake."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from smartauth_probe.introspection_faults import NONE, introspection_faults
from tests.running import Server

pytestmark = pytest.mark.one_engine

RESOURCE_SERVER = ("demo-resource-server", "demo-resource-server-secret")
FAULTS = "/dev/introspection-faults"


@pytest.fixture(scope="module")
def misled() -> Iterator[Server]:
    """A server whose FHIR server waits a second for introspection, and whose refusals end no access."""
    made = Server(SMARTAUTH_REFUSALS_LIMIT="0", SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT="1")
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def token(misled: Server) -> str:
    order = {"client": "demo-public", "user": "amy", "lifetime": 3600}
    return str(httpx.post(f"{misled.url}/dev/tokens", json=order, timeout=30).json()["access_token"])


def switch(server: Server, fault: str, **members: Any) -> httpx.Response:
    asked = {"resource_server": RESOURCE_SERVER[0], "fault": fault, **members}
    return httpx.post(f"{server.url}{FAULTS}", json=asked, timeout=30)


def switch_off(server: Server) -> None:
    gone = httpx.delete(f"{server.url}{FAULTS}", params={"resource_server": RESOURCE_SERVER[0]}, timeout=30)
    assert gone.status_code == 204


def read(server: Server, token: str) -> httpx.Response:
    return httpx.get(f"{server.url}/fhir/r4/Patient/amy", headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.mark.requirement("TV-14", "TV-15", "TV-31")
@pytest.mark.parametrize("fault", introspection_faults())
def test_the_bundled_fhir_server_answers_as_it_must(misled: Server, token: str, fault: str) -> None:
    switch(misled, fault).raise_for_status()

    answer = read(misled, token)  # the slow ones end well after 30 seconds: who waits for that shows the patient

    switch_off(misled)
    assert answer.status_code in introspection_faults()[fault].statuses
    assert ('"resourceType": "Patient"' in answer.text) is (fault == NONE)
    assert read(misled, token).status_code == 200


def test_the_command_reaches_the_server_that_runs(misled: Server, token: str) -> None:
    said = misled.manage("introspection-fault", "begin", "empty", RESOURCE_SERVER[0], "--seconds", "600")
    answer = read(misled, token)
    misled.manage("introspection-fault", "end", RESOURCE_SERVER[0])

    assert f"{RESOURCE_SERVER[0]} meets empty for 600 seconds, until " in said
    assert answer.status_code == 503
    assert read(misled, token).status_code == 200


def test_slow_answers_keep_nobody_else_waiting_and_end_with_who_waited(misled: Server, token: str) -> None:
    """More of them than there are threads."""
    form, slow = {"token": token}, f"{misled.url}/dev/introspect/slow-head"

    async def ask() -> list[object]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(auth=RESOURCE_SERVER, limits=limits, timeout=8) as client:
            waiting = [asyncio.create_task(client.post(slow, data=form)) for _ in range(100)]
            right = await client.post(f"{misled.url}/o/introspect", data=form)
            page = await client.get(f"{misled.url}/o/jwks")
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return [right.json()["active"], page.status_code, *{each.cancelled() for each in waiting}]

    assert asyncio.run(ask()) == [True, 200, True]
