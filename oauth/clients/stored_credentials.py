"""Whether a caller is the client that it says it is, by a secret or by none (CL-01, CL-03)."""

import hmac
from typing import NamedTuple

from django.conf import settings

from oauth.clients.secrets import client_secret_digest
from oauth.http.credentials import Credentials
from oauth.models import Client
from smart.explanation import Why

_NO_SECRET = "-"  # noqa: S105  # no digest looks like this


class StoredCredentials(NamedTuple):
    """What the database keeps of a client to recognise it by."""

    authentication: str
    enabled: int
    secret_digest: str
    old_secret_digest: str
    old_secret_until: int


UNKNOWN_CLIENT = StoredCredentials("", 0, _NO_SECRET, _NO_SECRET, 0)


def failure(presented: Credentials, kept: StoredCredentials, *, now: int) -> Why:
    """Why it is not that client, for who develops: elsewhere every reason takes the same time and words (CL-03)."""
    if not settings.SMARTAUTH_DEV:
        return {"rule": "CL-03"}
    sent = "no secret" if presented.secret is None else "a secret"
    shown = f"client_id {presented.client_id}"
    if kept is UNKNOWN_CLIENT:
        return {"rule": "CL-01", "case": "E51", "what": "no client has this client_id", "presented": shown}
    if not kept.enabled:
        return {"rule": "LV-04", "case": "E57", "what": "the client is disabled", "presented": shown}
    if kept.authentication != Client.Authentication.SECRET:
        what = f"the client's method of authentication is {kept.authentication}"
        return {"rule": "CL-01", "case": "E56", "what": what, "presented": sent, "expected": kept.authentication}
    if presented.secret is None:
        what = "the client sent no secret"
        return {"rule": "CL-01", "case": "E50", "what": what, "presented": sent, "expected": "a secret"}
    digest = client_secret_digest(presented.client_id, presented.secret)
    if hmac.compare_digest(digest, kept.old_secret_digest):
        since = kept.old_secret_until
        what = "a newer secret has taken its place"
        return {"rule": "RG-08", "case": "E57", "what": what, "presented": shown, "since": since}
    return {"rule": "CL-02", "case": "E52", "what": "the secret is not the client's", "presented": shown}


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
