"""Who asks at introspection proves itself: whatever is wrong with it, the answer is the same (CL-03)."""

from typing import Any

import pytest

from oauth.models import ResourceServerRole
from tests.conftest import ADDRESS, SECRET, App, basic
from tests.explained import error_of
from tests.fixture_types import Events, Issue, MakeClient, MakeResourceServer
from tests.oauth.clients.assertion_client import EC, RSA
from tests.signing import assertion_form, jwks, new_pair


@pytest.mark.requirement("IN-07", "CL-03")
def test_who_does_not_prove_itself_hears_the_same_whatever_is_wrong(
    app: App, make_client: MakeClient, make_resource_server: MakeResourceServer
) -> None:
    server, disabled, public = make_resource_server(), make_resource_server(), make_client()
    type(disabled).objects.filter(pk=disabled.pk).disable()

    for client_id, secret in (
        (server.client_id, "x"),
        (disabled.client_id, SECRET),
        (public.client_id, ""),
        ("x", "x"),
    ):
        answer = app.post("/o/introspect", data={"token": "x"}, headers=basic(client_id, secret))
        assert answer.status_code == 401
        assert error_of(answer) == {"error": "invalid_client", "error_description": "client authentication failed"}


@pytest.mark.requirement("IN-07", "CL-04")
def test_a_resource_server_with_keys_is_known_by_its_assertion(
    app: App, issue: Issue, make_client: MakeClient, fhir_server: Any, events: Events
) -> None:
    server, stranger = (make_client("keys", jwks=jwks(key), grants="", redirect_uris="") for key in (EC, RSA))
    ResourceServerRole.objects.create(client=server, fhir_server=fhir_server)
    token = issue()["access_token"]

    answers = [
        app.post("/o/introspect", data={"token": token, **assertion_form(key.assertion(client.client_id))})
        for client, key in ((server, EC), (stranger, RSA), (server, new_pair("ES384", EC.kid)))
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert [answer.json()["active"] for answer in answers[:2]] == [True, False]
    (event,) = events("introspection-refused", client=stranger.client_id)
    assert event.address == ADDRESS
