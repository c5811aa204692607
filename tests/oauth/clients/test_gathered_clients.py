"""Who asks is known before a request waits for others that it is answered with."""

import asyncio

import pytest

from accounts import clock
from oauth.clients.gathered_clients import authenticate_by_assertion
from oauth.http.credentials import Credentials
from tests.fixture_types import MakeClient
from tests.oauth.clients.assertion_client import EC, request_of, signed
from tests.signing import jwks


@pytest.mark.requirement("CL-04", "CL-06")
def test_an_assertion_is_used_up_before_its_request_waits_and_a_secret_is_not_looked_at(
    make_client: MakeClient,
) -> None:
    client = make_client("keys", jwks=jwks(EC))
    by_assertion = signed(client.client_id, EC, clock.now())
    by_secret = request_of(Credentials("nobody-knows-me", "wrong"))

    for request in (by_assertion, by_secret):
        asyncio.run(authenticate_by_assertion(request))

    assert by_assertion.client is not None
    assert (by_assertion.client.pk, by_secret.client) == (client.pk, None)
