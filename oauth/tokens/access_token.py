"""Access tokens as they are handed out: JWTs (RFC 9068) or opaque ones, of which only digests are kept (AT-01)."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings

from oauth.keys.token_signer import token_signer
from oauth.models import FhirServer
from oauth.tokens.authorization_state import AuthorizationState
from smart.digests import random_token, sha256_hex
from smart.remembered import remembered
from smart.tokens import lifetimes

TYPE = "at+jwt"  # RFC 9068 §2.1


class AccessToken(NamedTuple):
    """A token, its jti, and the digests by which it and changed copies of it are recognised.

    An opaque one has neither parts nor jti.
    """

    token: str
    jti: str | None
    digest: str
    signed_digest: str = ""
    signature_digest: str = ""

    @classmethod
    def of(cls, token: str, jti: str | None) -> "AccessToken":
        """One that is there already; without a jti it is opaque."""
        if jti is None:
            return cls(token, None, sha256_hex(token))
        signed, _, signature = token.rpartition(".")
        return cls(token, jti, sha256_hex(token), sha256_hex(signed), sha256_hex(signature))

    @property
    def columns(self) -> dict[str, str | None]:
        """All that the database keeps of it."""
        digests = {"signed_digest": self.signed_digest, "signature_digest": self.signature_digest}
        return {"digest": self.digest, **digests, "jti": self.jti}


def lifetime_seconds(authorization: AuthorizationState) -> int:
    """How long its next token lives (SD-04)."""
    seconds = lifetimes.access_token_seconds if authorization.user_pk else lifetimes.backend_token_seconds
    return seconds(
        authorization.server_token_seconds,
        authorization.client_token_seconds,
        default=settings.SMARTAUTH_ACCESS_TOKEN_SECONDS,
        bound=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
    )


def standard_claims(authorization: AuthorizationState, scope: str, *, issued: int, expires: int) -> dict[str, Any]:
    """What RFC 9068 §2.2 wants, without the jti, and the launch context."""
    about = {"iss": settings.SMARTAUTH_ISSUER, "aud": authorization.base, "client_id": authorization.client_id}
    subject = authorization.subject or authorization.client_id
    times = {"iat": issued, "exp": expires}
    return {**about, "sub": subject, **times, "scope": scope, **launch_context(authorization)}


def launch_context(authorization: AuthorizationState) -> Mapping[str, Any]:
    """What the launch chose: its members stand in the token and beside it."""
    return _parsed(authorization.context)


@remembered
def _parsed(context: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(context)
    return found


def make_token(authorization: AuthorizationState, claims: dict[str, Any]) -> AccessToken:
    """The token with these claims, in the format of the FHIR server."""
    if authorization.token_format == FhirServer.TokenFormat.OPAQUE:
        return AccessToken.of(random_token(), None)
    jti = new_jti(claims["iat"])
    return AccessToken.of(_sign(authorization, {**claims, "jti": jti}), jti)


def new_jti(issued: int) -> str:
    """128 random bits after the second of the issue: in order of time an index is written where it is in memory."""
    return f"{issued:x}.{secrets.token_urlsafe(16)}"


def _sign(authorization: AuthorizationState, claims: dict[str, Any]) -> str:
    kid, key = authorization.signing_kid, authorization.signing_key
    return token_signer(TYPE, authorization.signing_algorithm, kid, key)(claims)
