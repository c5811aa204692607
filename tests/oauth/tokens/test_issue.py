"""What a launch gives, asked of the function that issues it."""

import pytest

from accounts import clock
from audit.event_kinds import EventKind
from oauth.models import public_reference
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import RefreshFamily, issue, new_access_token, reissue, token_events
from oauth.tokens.supersede import NO_SEAT
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


@pytest.mark.requirement("ID-01", "RF-02")
def test_a_token_has_the_scope_that_is_said_or_the_whole_grant(grant: Grant) -> None:
    authorization = AuthorizationState.of(grant(scope="openid patient/*.rs").authorization.pk)

    def made(scope: str) -> str:
        return str(new_access_token(authorization, NO_SEAT, now=clock.now(), address="", scope=scope).answer["scope"])

    assert (made("openid"), made("")) == ("openid", "openid patient/*.rs")


@pytest.mark.requirement("ID-01")
def test_without_a_nonce_a_new_id_token_has_none(grant: Grant) -> None:
    authorization = AuthorizationState.of(grant(scope="openid patient/*.rs").authorization.pk)

    made = new_access_token(authorization, NO_SEAT, now=clock.now(), address="", scope="openid")

    assert "nonce" not in payload(made.answer["id_token"])


@pytest.mark.requirement("ID-01", "RF-09")
def test_the_id_token_of_a_refresh_has_no_nonce(grant: Grant) -> None:
    authorization, now = AuthorizationState.of(grant(scope="openid patient/*.rs").authorization.pk), clock.now()

    answer = reissue(authorization, "openid", RefreshFamily(None, None, 0, now), now=now, address="")

    assert answer is not None
    assert "nonce" not in payload(answer["id_token"])


@pytest.mark.requirement("HI-08")
def test_the_event_of_a_token_says_which_when_and_from_where(grant: Grant) -> None:
    authorization = AuthorizationState.of(grant().authorization.pk)

    (event,) = token_events(authorization, EventKind.ISSUED, 7, NO_SEAT, now=5, address="192.0.2.7")

    said = (event.kind, event.at, event.address, event.token)
    assert said == (EventKind.ISSUED, 5, "192.0.2.7", public_reference(7))
