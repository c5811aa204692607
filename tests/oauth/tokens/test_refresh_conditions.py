"""What refuses a refresh, asked of the conditions themselves: which rule it is, and since when it is broken."""

from typing import Any

import pytest

from oauth.models import Authorization
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.refresh_conditions import require_usable
from smart.http.errors import InvalidGrant
from tests.fixture_types import Grant

SIGNED_OUT = "its person signed out, and online access ends with the session"


@pytest.mark.requirement("E87", "E92", "SCP-17")
@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("revoked", {"rule": "LV-03", "case": "E87", "since": 7}),
        ("signed-out", {"rule": "SCP-17", "case": "E92", "since": 7, "what": SIGNED_OUT}),
    ],
)
def test_an_authorization_that_has_ended_is_refused_by_the_rule_that_ended_it(
    grant: Grant, reason: str, why: dict[str, Any]
) -> None:
    pk = grant().authorization.pk
    Authorization.objects.filter(pk=pk).end(reason, now=7)

    with pytest.raises(InvalidGrant) as refused:
        require_usable(AuthorizationState.of(pk), 0)

    assert (refused.value.event_reason, refused.value.why) == ("the authorization has ended", why)
