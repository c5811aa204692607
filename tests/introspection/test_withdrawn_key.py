"""A signature by a key that leaked and was withdrawn shows nothing."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jws

from accounts import clock
from oauth.keys import rotation, signing_keys
from oauth.models import SigningKey
from tests.fixture_types import Events, Introspect, Issue


@pytest.fixture
def leaked(committed: None) -> Iterator[Any]:
    """A key that has just retired, and its private half."""
    row = signing_keys.create_key("ES256", "retired")
    SigningKey.objects.filter(pk=row.pk).update(retired_at=clock.now())
    yield signing_keys.private_key(row.kid, row.private_encrypted)
    row.delete()


def forged(token: str, key: Any) -> str:
    """For another patient, signed with that key."""
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    header = {"alg": "ES256", "kid": key.kid}
    return jws.serialize_compact(header, json.dumps({**claims, "patient": "ben"}).encode(), key, algorithms=["ES256"])


@pytest.mark.requirement("SD-07", "DS-21")
def test_before_it_is_withdrawn_it_ends_the_original_and_afterwards_it_ends_nothing(
    issue: Issue, introspect: Introspect, events: Events, leaked: Any
) -> None:
    first, second = issue(), issue()

    introspect(forged(first["access_token"], leaked))
    rotation.withdraw(leaked.kid)
    heard = introspect(forged(second["access_token"], leaked))

    assert heard == {"active": False}
    assert introspect(first["access_token"]) == {"active": False}
    assert introspect(second["access_token"])["active"] is True
    assert len(events("tamper-suspected", client=second["granted"].client.client_id)) == 1
    assert events("tampered", client=second["granted"].client.client_id) == []
