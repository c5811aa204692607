"""Clients of plain OpenID Connect."""

from typing import Any

import pytest

from accounts.models import User
from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.remembering import HTTPS


@pytest.fixture
def make_openid(make_client: MakeClient) -> MakeClient:
    """A client of plain OpenID Connect; it may ask everything that there is for such a one."""

    def make(authentication: str = "secret", **fields: Any) -> Any:
        known = {
            "profile": "openid", "scope": "openid profile email offline_access", "redirect_uris": HTTPS,
            "grants": "authorization_code refresh_token",
        }  # fmt: skip
        client = make_client(authentication, **{**known, **fields})
        client.fhir_servers.clear()
        return client

    return make


@pytest.fixture
def person(make_person: MakePerson) -> Any:
    """Somebody with an address that is vouched for."""
    found = make_person("amy")
    User.objects.filter(pk=found.pk).update(email=f"{found.username}@example.org", email_verified=1)
    found.refresh_from_db()
    return found
