"""OpenID Connect Core §5.1: what is told of the person, by what they granted."""

from collections.abc import Sequence
from typing import NamedTuple

from smart.scopes.scope import Scope
from smart.scopes.scope_sets import FHIR_USER, parse_scopes
from smart.time_units import SECOND

OPENID = "openid"
ALGORITHM = "RS256"
SCOPES = frozenset({OPENID, "profile", "email", "offline_access"})  # all that plain OpenID Connect may ask here
Claims = dict[str, str | int]


class IdTokenHint(NamedTuple):
    """What an ID token of ours said that an app shows again: which person, which client (OIDC Core §3.1.2.1)."""

    subject: str
    client_id: str


class Account(NamedTuple):
    """A person's account here, of which plain OpenID Connect may tell (OIDC Core §5.1)."""

    subject: str
    name: str
    username: str
    email: str
    email_verified: bool
    given_name: str = ""
    family_name: str = ""
    locale: str = ""
    updated_at: int = 0  # microseconds


def has_openid(scope: str) -> bool:
    """Whether the app may recognise the person: without it there is no ID token (CG-08)."""
    return OPENID in scope and any(part.short_name == OPENID for part in parse_scopes(scope))


def has_fhir_user(scopes: Sequence[Scope]) -> bool:
    """Whether the app may learn who the person is at the FHIR server, and read that resource (SCP-16, ID-03)."""
    held = {scope.short_name for scope in scopes}
    return OPENID in held and not FHIR_USER.isdisjoint(held)


def id_token_claims(
    about: Claims, scope: str, *, fhir_user: str, auth_time: int, nonce: str, issued: int, expires: int
) -> Claims:
    """The claims of an ID token (ID-01). `about` is iss, sub and aud; times in seconds, auth_time in microseconds."""
    claims = {**about, "iat": issued, "exp": expires}
    if auth_time:
        claims["auth_time"] = auth_time // SECOND
    if nonce:
        claims["nonce"] = nonce
    if fhir_user and has_fhir_user(parse_scopes(scope)):
        claims["fhirUser"] = fhir_user
    return claims


def userinfo_claims(scopes: Sequence[Scope], person: Account) -> dict[str, str | int]:
    """What UserInfo tells of it, by what was granted (OIDC Core §5.4); nothing that is not known."""
    held = {scope.short_name for scope in scopes}
    claims: dict[str, str | int] = {"sub": person.subject}
    if "profile" in held:
        claims |= {"name": person.name, "given_name": person.given_name, "family_name": person.family_name}
        claims |= {"preferred_username": person.username, "locale": person.locale}
        claims |= {"updated_at": person.updated_at // SECOND} if person.updated_at else {}
    if "email" in held and person.email:
        claims |= {"email": person.email, "email_verified": person.email_verified}
    return {name: value for name, value in claims.items() if value != ""}
