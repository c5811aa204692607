"""Why nothing may be issued any more under an authorization: in words for the trail, and by which rule."""

from typing import Any

import pytest

from audit.event_kinds import EventKind
from oauth.tokens.authorization_state import AuthorizationState
from tests.fixture_types import Grant


@pytest.mark.requirement("RF-08", "RF-11")
@pytest.mark.parametrize(
    ("changes", "epoch", "reason", "rule"),
    [
        ({}, 0, "", "LV-03"),
        ({}, 1, "the authorization has ended", "LV-03"),
        ({"ended_at": 1}, 0, "the authorization has ended", "LV-03"),
        ({"client_enabled": 0}, 0, "the client's access has ended", "LV-04"),
        ({"client_epoch": 9}, 0, "the client's access has ended", "LV-05"),
        ({"user_suspended_at": 1}, 0, "the person's access has ended", "LV-06"),
        ({"user_epoch": 9}, 0, "the person's access has ended", "LV-07"),
        ({"fhir_server_epoch": 9}, 0, "access at the FHIR server has ended", "LV-08"),
        ({"fits_profile": 0}, 1, "the client has another profile than when it was granted", "LV-03"),
    ],
)
def test_an_authorization_says_why_nothing_may_be_issued_under_it(
    grant: Grant, changes: dict[str, Any], epoch: int, reason: str, rule: str
) -> None:
    authorization = AuthorizationState.of(grant().authorization.pk)._replace(**changes)

    assert (authorization.unusable_reason_under(epoch), authorization.unusable_rule) == (reason, rule)


@pytest.mark.requirement("HI-08")
def test_an_event_says_nothing_that_is_not_known(grant: Grant) -> None:
    event = AuthorizationState.of(grant().authorization.pk).event(EventKind.ISSUED, at=5)

    assert (event.kind, event.at, event.address, event.token, event.reason) == (EventKind.ISSUED, 5, "", "", "")
