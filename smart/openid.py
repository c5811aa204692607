"""OpenID Connect Core: what is told of the person, by what he granted (section 10)."""

from collections.abc import Sequence
from typing import NamedTuple

from smart.clock import SECOND
from smart.scopes import FHIR_USER, Scope, parse

OPENID = "openid"
ALGORITHM = "RS256"
Claims = dict[str, str | int]


class Hint(NamedTuple):
    """What an ID token of ours said that an app shows again: of whom, and to which client (OIDC Core §3.1.2.1)."""

    subject: str
    client_id: str


def recognises(scope: str) -> bool:
    """Whether the app may recognise the person: without it there is no ID token (CG-08)."""
    return OPENID in scope and any(part.plain == OPENID for part in parse(scope))


def names_fhir_user(scopes: Sequence[Scope]) -> bool:
    """Whether the app may learn who he is at the FHIR server, and read that resource (SCP-16, ID-03)."""
    held = {scope.plain for scope in scopes}
    return OPENID in held and not FHIR_USER.isdisjoint(held)


def id_token(
    about: Claims, scope: str, *, fhir_user: str, auth_time: int, nonce: str, issued: int, expires: int
) -> Claims:
    """The claims of an ID token (ID-01). `about` is iss, sub and aud; times in seconds, auth_time in microseconds."""
    claims = {**about, "iat": issued, "exp": expires}
    if auth_time:
        claims["auth_time"] = auth_time // SECOND
    if nonce:
        claims["nonce"] = nonce
    if fhir_user and names_fhir_user(parse(scope)):
        claims["fhirUser"] = fhir_user
    return claims
