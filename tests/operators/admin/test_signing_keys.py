"""Operators let another key sign, and withdraw one that leaked."""

from typing import Any

import pytest

from tests.fixture_types import Events
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def key(state: str = "active") -> Any:
    from oauth.models import SigningKey

    return SigningKey.objects.get(algorithm="ES256", state=state)


def test_rotating_asks_first_warns_and_is_recorded_once(operator: Operator, events: Events) -> None:
    old, coming = key(), key("next")

    asked = operator.act("oauth/signingkey", "rotate", old)
    assert key().kid == old.kid
    assert f"{coming.kid} was to be published for another" in asked.content.decode()

    operator.confirm("oauth/signingkey", "rotate", old)
    again = operator.confirm("oauth/signingkey", "rotate", old)
    assert key().kid == coming.kid
    assert "Nothing has changed" in operator.browser.get(again.url).content.decode()
    assert [event.address for event in events("key-rotated", operator=operator.user.subject)] == ["127.0.0.1"]


def test_withdrawing_asks_first_and_shows_it(operator: Operator, events: Events) -> None:
    leaked = key()

    operator.act("oauth/signingkey", "withdraw", leaked)
    assert key().kid == leaked.kid

    operator.confirm("oauth/signingkey", "withdraw", leaked)
    assert key().kid != leaked.kid
    assert "withdrawn" in operator.get(f"oauth/signingkey/{leaked.pk}/change/").content.decode()
    assert len(events("key-withdrawn", operator=operator.user.subject)) == 1


@pytest.mark.requirement("SB-04")
@pytest.mark.parametrize("state", ["active", "next"])
def test_no_half_of_a_key_is_shown(operator: Operator, state: str) -> None:
    import json

    row = key(state)

    for page in ("oauth/signingkey/", f"oauth/signingkey/{row.pk}/change/"):
        shown = operator.get(page).content.decode()
        assert row.kid in shown
        assert row.private_encrypted not in shown
        assert json.loads(row.public_jwk)["x"] not in shown
