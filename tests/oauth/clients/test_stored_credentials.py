"""Who is a client by what the database keeps of it: its own method, its secret, the one before for a while (CL-01)."""

from typing import Any

import pytest

from oauth.clients.secrets import client_secret_digest
from oauth.clients.stored_credentials import UNKNOWN_CLIENT, StoredCredentials, is_authentic
from oauth.http.credentials import Credentials

UNTIL = 1000
KEPT = StoredCredentials("secret", 1, client_secret_digest("app", "new"), client_secret_digest("app", "old"), UNTIL)


@pytest.mark.requirement("CL-01", "CL-03", "RG-08")
@pytest.mark.parametrize(
    ("changes", "secret", "now", "authentic"),
    [
        ({}, "new", UNTIL, True),
        ({}, "old", UNTIL - 1, True),
        ({}, "old", UNTIL, False),
        ({}, "another", 0, False),
        ({}, "", 0, False),
        ({}, None, 0, False),
        ({"enabled": 0}, "new", 0, False),
        ({"enabled": 0, "authentication": "none"}, None, 0, False),
        ({"authentication": "none"}, None, 0, True),
        ({"authentication": "none"}, "", 0, False),
        ({"authentication": "none"}, "new", 0, False),
        ({"authentication": "keys"}, "new", 0, False),
        ({"authentication": "keys"}, "old", 0, False),
        ({"authentication": "keys"}, None, 0, False),
        ({"secret_digest": client_secret_digest("another", "new")}, "new", 0, False),
    ],
)
def test_a_client_proves_itself_by_its_own_method_and_a_secret_of_its_own(
    changes: dict[str, Any], secret: str | None, now: int, authentic: bool
) -> None:
    assert is_authentic(Credentials("app", secret), KEPT._replace(**changes), now=now) is authentic


@pytest.mark.requirement("CL-03")
@pytest.mark.parametrize("secret", ["new", "", "-", None])
def test_a_client_that_nobody_knows_is_nobody(secret: str | None) -> None:
    assert is_authentic(Credentials("app", secret), UNKNOWN_CLIENT, now=0) is False
