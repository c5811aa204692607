"""Client authentication (RFC 6749 §2.3): by Basic or body, each client by its own method and no other."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from oauth.models import Client
from smart.http.errors import InvalidClient, InvalidRequest
from smart.http.parameters import Parameters

AUTHENTICATION_FAILED = "client authentication failed"
_NO_SECRET = "-"  # noqa: S105  # no digest looks like this


class Credentials(NamedTuple):
    """What a caller presented, not yet believed: who it says it is, and a secret, an assertion, a token or nothing.

    `bearer` is an access token in the Authorization header; only introspection looks at it.
    """

    client_id: str
    secret: str | None
    in_body: bool = False
    assertion: str = ""
    bearer: str = ""


NO_CREDENTIALS = Credentials("", None)


def client_secret_digest(client_id: str, secret: str) -> str:
    """What the database keeps of a client's secret: SHA-256 salted with the id (a secret is 256 bits drawn by us)."""
    return hashlib.sha256(f"{client_id}:{secret}".encode()).hexdigest()


def parse_credentials(authorization: str | None, parameters: Parameters) -> Credentials:
    """The one set of credentials in a request. Raises InvalidClient or InvalidRequest (E50, E53-E56, E59)."""
    if "client_assertion_type" in parameters and "client_assertion" not in parameters:
        raise InvalidClient(AUTHENTICATION_FAILED, hint="client_assertion_type without client_assertion")
    if authorization is None:
        return _from_body(parameters)
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() not in ("basic", "bearer"):
        raise InvalidClient(AUTHENTICATION_FAILED, hint="the Authorization header is not Basic")
    if "client_secret" in parameters or "client_assertion" in parameters:
        raise InvalidRequest("the client authenticated in two ways")
    if scheme.lower() == "bearer" and value.strip():
        return Credentials("", None, bearer=value.strip())
    found = _from_basic(value.strip())
    if parameters.get("client_id", found.client_id) != found.client_id:
        raise InvalidRequest("client_id differs from the authenticated client")
    return found


def _from_basic(value: str) -> Credentials:
    try:
        client_id, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidClient(AUTHENTICATION_FAILED, hint="Basic is not base64 of UTF-8") from None
    found = Credentials(unquote(client_id), unquote(secret))
    if not colon or not client_id or "\0" in found.client_id:
        raise InvalidClient(AUTHENTICATION_FAILED, hint="Basic holds no client_id:client_secret")
    return found


def _from_body(parameters: Parameters) -> Credentials:
    if "client_assertion" in parameters:
        return _from_assertion(parameters)
    client_id = parameters.get("client_id")
    if client_id is None and _is_named_by_refresh_token(parameters):
        return NO_CREDENTIALS
    if client_id is None:
        raise InvalidClient(AUTHENTICATION_FAILED, hint="no client_id and no Authorization header")
    return Credentials(client_id, parameters.get("client_secret"), in_body="client_secret" in parameters)


def _from_assertion(parameters: Parameters) -> Credentials:
    """The assertion; oauth.clients.authentication finds out whose it is."""
    if "client_secret" in parameters:
        raise InvalidRequest("the client authenticated in two ways")
    return Credentials(parameters.get("client_id", ""), None, assertion=parameters["client_assertion"])


def _is_named_by_refresh_token(parameters: Parameters) -> bool:
    """Whether the refresh token can tell who refreshes: fhirclient sends no client_id then (WF-01)."""
    refreshes = parameters.get("grant_type") == "refresh_token" and "refresh_token" in parameters
    return refreshes and "client_secret" not in parameters


class StoredCredentials(NamedTuple):
    """What the database keeps of a client to recognise it by."""

    authentication: str
    enabled: int
    secret_digest: str
    old_secret_digest: str
    old_secret_until: int


UNKNOWN_CLIENT = StoredCredentials("", 0, _NO_SECRET, _NO_SECRET, 0)


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that proved itself."""

    pk: int
    client_id: str
    grants: frozenset[str]
    authentication: str
    profile: str = Client.Profile.SMART


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
