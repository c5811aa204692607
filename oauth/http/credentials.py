"""What a caller presents to prove who it is (RFC 6749 §2.3, RFC 7523 §2.2), parsed and not yet believed."""

import base64
import binascii
from dataclasses import dataclass
from typing import NamedTuple, Unpack
from urllib.parse import unquote

from oauth.models import Client
from smart.explanation import Why
from smart.http.errors import InvalidClient, InvalidRequest
from smart.http.parameters import Parameters

AUTHENTICATION_FAILED = "client authentication failed"
ASSERTION_PARAMETERS = ("client_assertion", "client_assertion_type")
LONGEST_CLIENT_ID = 100


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


@dataclass(frozen=True, slots=True)
class AuthenticatedClient:
    """A client that proved itself."""

    pk: int
    client_id: str
    grants: frozenset[str]
    authentication: str
    profile: str = Client.Profile.SMART


def parse_credentials(authorization: str | None, parameters: Parameters) -> Credentials:
    """The one set of credentials in a request. Raises InvalidClient or InvalidRequest (E50, E53-E56, E59)."""
    if "client_assertion_type" in parameters and "client_assertion" not in parameters:
        raise _invalid_client("client_assertion_type without client_assertion", rule="CL-09", case="E59")
    if authorization is None:
        return _from_body(parameters)
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() not in ("basic", "bearer"):
        raise _invalid_client("the Authorization header is not Basic", rule="CL-02", case="E53")
    if "client_secret" in parameters or "client_assertion" in parameters:
        raise InvalidRequest("the client authenticated in two ways", rule="CL-01", case="E54")
    if scheme.lower() == "bearer" and value.strip():
        return Credentials("", None, bearer=value.strip())
    found = _from_basic(value.strip())
    named = named_client(parameters.get("client_id", found.client_id))
    if named != found.client_id:
        words = "client_id differs from the authenticated client"
        raise InvalidRequest(words, rule="CL-01", case="E55", presented=named, expected=found.client_id)
    return found


def named_client(client_id: str) -> str:
    """Who a caller says it is. What is longer than any client_id is cut, and nobody's still.

    Statements that many requests share would be megabytes long by it.
    """
    return client_id[: LONGEST_CLIENT_ID + 1]


def _invalid_client(event_reason: str, **why: Unpack[Why]) -> InvalidClient:
    """The same answer for every reason (CL-03)."""
    return InvalidClient(AUTHENTICATION_FAILED, event_reason=event_reason, **why)


def _from_basic(value: str) -> Credentials:
    try:
        client_id, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise _invalid_client("Basic is not base64 of UTF-8", rule="CL-02", case="E53") from None
    found = Credentials(named_client(unquote(client_id)), unquote(secret))
    if not colon or not client_id or "\0" in found.client_id:
        raise _invalid_client("Basic holds no client_id:client_secret", rule="CL-02", case="E53")
    return found


def _from_body(parameters: Parameters) -> Credentials:
    if "client_assertion" in parameters:
        return _from_assertion(parameters)
    client_id = parameters.get("client_id")
    if client_id is None and _is_named_by_refresh_token(parameters):
        return NO_CREDENTIALS
    if client_id is None:
        raise _invalid_client("no client_id and no Authorization header", rule="CL-01", case="E50")
    named = named_client(client_id)
    return Credentials(named, parameters.get("client_secret"), in_body="client_secret" in parameters)


def _from_assertion(parameters: Parameters) -> Credentials:
    """The assertion; oauth.clients.authentication finds out which client signed it."""
    if "client_secret" in parameters:
        raise InvalidRequest("the client authenticated in two ways", rule="CL-01", case="E54")
    named = named_client(parameters.get("client_id", ""))
    return Credentials(named, None, assertion=parameters["client_assertion"])


def _is_named_by_refresh_token(parameters: Parameters) -> bool:
    """Whether the refresh token can tell who refreshes: fhirclient sends no client_id then (WF-01)."""
    refreshes = parameters.get("grant_type") == "refresh_token" and "refresh_token" in parameters
    return refreshes and "client_secret" not in parameters
