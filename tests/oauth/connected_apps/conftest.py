"""A person who is signed in, with apps that they allowed."""

from typing import Any

import pytest

from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.connected_apps.page_reader import OFFLINE
from tests.oauth.visitor import Visitor


@pytest.fixture
def amy(make_person: MakePerson) -> Any:
    """Somebody with their own record."""
    return make_person("amy")


@pytest.fixture
def refreshing(make_client: MakeClient) -> Any:
    """A public client that may refresh."""
    grants = "authorization_code refresh_token"
    return make_client(grants=grants, scope=f"{OFFLINE} online_access patient/*.cruds openid fhirUser user/*.rs")


@pytest.fixture
def mine(visitor: Visitor, amy: Any) -> Visitor:
    """Their browser, signed in."""
    visitor.sign_in(visitor.request("GET", "/login"), amy)
    return visitor
