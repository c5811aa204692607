"""Clients with keys, and the servers that publish them."""

import pytest

from tests.conftest import Granted
from tests.fixture_types import Grant, MakeClient
from tests.oauth.clients.assertion_client import EC, RSA
from tests.signing import jwks


@pytest.fixture
def granted(grant: Grant, make_client: MakeClient) -> Granted:
    """A client with both keys pasted, and a code that waits for it."""
    return grant(make_client("keys", jwks=jwks(EC, RSA)))
