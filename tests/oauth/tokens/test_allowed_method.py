"""A secret in the body: at the token endpoint where that is switched on, and of plain OpenID clients (CL-02)."""

from typing import Any

import pytest

from oauth.http.credentials import AuthenticatedClient, Credentials
from oauth.tokens.allowed_method import is_allowed_method
from tests.oauth.clients.assertion_client import request_of

pytestmark = pytest.mark.one_engine


@pytest.mark.requirement("CL-02")
@pytest.mark.parametrize(
    ("in_body", "switched_on", "profile", "allowed"),
    [
        (False, False, "smart", True),
        (True, False, "smart", False),
        (True, True, "smart", True),
        (True, False, "openid", True),
    ],
)
def test_a_secret_in_the_body_is_taken_where_that_is_switched_on_and_of_plain_openid_clients(
    settings: Any, in_body: bool, switched_on: bool, profile: str, allowed: bool
) -> None:
    settings.SMARTAUTH_TOKEN_SECRET_IN_BODY = switched_on
    request = request_of(Credentials("app", "secret", in_body))

    assert is_allowed_method(request, AuthenticatedClient(1, "app", frozenset(), "secret", profile)) is allowed
