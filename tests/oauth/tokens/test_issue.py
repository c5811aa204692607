"""What a launch gives, asked of the function that issues it."""

import pytest

from accounts import clock
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import issue
from tests.fixture_types import Grant
from tests.oauth.jwt import payload


@pytest.mark.usefixtures("app")
@pytest.mark.requirement("ID-01")
def test_an_id_token_repeats_the_nonce_of_the_request_and_has_none_where_none_was_sent(grant: Grant) -> None:
    authorization = AuthorizationState.of(grant(scope="openid patient/*.rs").authorization.pk)
    now = clock.now()

    without = payload(issue(authorization, now=now, address="")["id_token"])
    repeated = payload(issue(authorization, now=now, address="", nonce="once")["id_token"])

    assert "nonce" not in without
    assert repeated["nonce"] == "once"
