"""Clients at the JSON endpoints: by Basic, or by an assertion among the members of the body (CL-01, CL-12)."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from oauth.clients import json_callers
from oauth.http.credentials import Credentials
from oauth.models import ResourceServerRole
from tests.conftest import ADDRESS, SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import Events, MakeClient, MakeResourceServer
from tests.oauth.clients.assertion_client import EC
from tests.publishing import Publisher, publisher_of
from tests.signing import assertion_form, jwks


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_of(jwks(EC)) as server:
        server.headers = {"Cache-Control": "no-store"}
        yield server


@pytest.fixture
def by_url(make_client: MakeClient, publisher: Publisher, fhir_server: Any) -> Any:
    """A resource server whose keys are at its own server, and fetched for each request."""
    client = make_client("keys", jwks_uri=publisher.url, grants="", redirect_uris="")
    ResourceServerRole.objects.create(client=client, fhir_server=fhir_server)
    return client


def ends(app: App, members: dict[str, str], **headers: str) -> httpx.Response:
    return app.post("/o/invalidate", json={"sub": "nobody-here", **members}, headers=headers)


@pytest.mark.requirement("CL-12")
def test_who_waits_for_its_keys_leaves_its_place_to_the_next(
    app: App, by_url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_callers, "_may_wait", threading.BoundedSemaphore(1))

    answers = [ends(app, assertion_form(EC.assertion(by_url.client_id))) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(answers[0].json()) == 2


@pytest.mark.requirement("CL-12")
def test_where_too_many_wait_for_their_keys_the_next_one_is_told_to_come_back(
    app: App, by_url: Any, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = threading.BoundedSemaphore(1)
    places.acquire()
    monkeypatch.setattr(json_callers, "_may_wait", places)

    answer = ends(app, assertion_form(EC.assertion(by_url.client_id)))

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert publisher.asked == []


@pytest.mark.requirement("CL-01", "CL-15")
def test_a_public_client_is_nobody_here_and_its_try_is_recorded_with_its_address(
    app: App, make_client: MakeClient, events: Events, settings: Any
) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    public = make_client()

    direct = ends(app, {}, **basic(public.client_id, ""))
    proxied = ends(app, {}, **basic(public.client_id, ""), **{"X-Forwarded-For": "198.51.100.9"})

    for answer in (direct, proxied):
        assert answer.status_code == 401
        assert error_of(answer) == {"error": "invalid_client", "error_description": "client authentication failed"}
    found = events("client-authentication-failed", client=public.client_id)
    assert [event.address for event in found] == [ADDRESS, "198.51.100.9"]
    assert ends(app, {"client_id": public.client_id}).status_code == 401


@pytest.mark.requirement("CL-01")
def test_beside_an_authorization_header_the_members_prove_nothing(
    app: App, make_resource_server: MakeResourceServer
) -> None:
    own = basic(make_resource_server().client_id, SECRET)

    assert ends(app, {}, **own).status_code == 200
    assert ends(app, {"client_assertion": "not.a.good-one"}, **own).status_code == 400


@pytest.mark.parametrize(
    ("meta", "data", "has"),
    [
        ({}, {}, False),
        ({}, {"client_assertion": "x"}, True),
        ({}, {"client_assertion_type": "x"}, False),
        ({"HTTP_AUTHORIZATION": "Basic x"}, {}, True),
    ],
)
def test_a_header_or_an_assertion_wants_to_prove_a_client(
    meta: dict[str, str], data: dict[str, str], has: bool
) -> None:
    request: Any = SimpleNamespace(META=meta, data=data)
    assert json_callers.has_client_credentials(request) is has


@pytest.mark.requirement("CL-01")
def test_where_a_header_proves_the_client_the_members_of_the_body_are_not_read_for_that() -> None:
    meta = {"HTTP_AUTHORIZATION": basic("app", SECRET)["Authorization"]}
    request: Any = SimpleNamespace(META=meta, data=assertion_form("a.b.c"), path="/o/invalidate")

    found = json_callers._machine_request(request)

    assert (found.credentials, len(found.parameters)) == (Credentials("app", SECRET), 0)
