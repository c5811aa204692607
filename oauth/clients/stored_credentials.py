"""Whether a caller is the client that it says it is, by a secret or by none (CL-01, CL-03)."""

import hmac
from typing import NamedTuple

from oauth.clients.secrets import client_secret_digest
from oauth.http.credentials import Credentials
from oauth.models import Client

_NO_SECRET = "-"  # noqa: S105  # no digest looks like this


class StoredCredentials(NamedTuple):
    """What the database keeps of a client to recognise it by."""

    authentication: str
    enabled: int
    secret_digest: str
    old_secret_digest: str
    old_secret_until: int


UNKNOWN_CLIENT = StoredCredentials("", 0, _NO_SECRET, _NO_SECRET, 0)


def is_authentic(presented: Credentials, kept: StoredCredentials, *, now: int) -> bool:
    """Whether the caller is that client, by the client's own method (CL-01); the same work for one unknown (CL-03)."""
    shown = client_secret_digest(presented.client_id, presented.secret or "")
    is_secret = hmac.compare_digest(shown, kept.secret_digest)
    is_old_secret = hmac.compare_digest(shown, kept.old_secret_digest) and now < kept.old_secret_until
    if not kept.enabled:
        return False
    if kept.authentication == Client.Authentication.NONE:
        return presented.secret is None
    return kept.authentication == Client.Authentication.SECRET and (is_secret or is_old_secret)
