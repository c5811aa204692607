"""ID tokens (OIDC Core §2): signed RS256 and handed out, never kept."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from oauth.keys.token_signer import token_signer
from oauth.models import SigningKey
from oauth.tokens.authorization_state import AuthorizationState
from smart.openid import standard_claims

TYPE = "JWT"
MAX_LENGTH = 8192


def id_token_member(
    authorization: AuthorizationState, scope: str, *, issued: int, expires: int, nonce: str = ""
) -> dict[str, str]:
    """The member of a token answer that tells who signed in, where that was granted (CG-08)."""
    if not standard_claims.has_openid(scope):
        return {}
    about: standard_claims.Claims = {
        "iss": settings.SMARTAUTH_ISSUER,
        "sub": authorization.subject,
        "aud": authorization.client_id,
    }
    claims = standard_claims.id_token_claims(
        about,
        scope,
        fhir_user=authorization.fhir_user_url,
        auth_time=authorization.auth_time,
        nonce=nonce,
        issued=issued,
        expires=expires,
    )
    return {"id_token": _sign(claims, authorization)}


def _sign(claims: Mapping[str, Any], authorization: AuthorizationState) -> str:
    """Signed by the active key, which the row of the authorization brings with it."""
    kid, key = authorization.id_token_kid, authorization.id_token_key
    return token_signer(TYPE, standard_claims.ALGORITHM, kid, key)(claims)


def parse_hint(token: str) -> standard_claims.IdTokenHint | None:
    """The user and client that an ID token of this server names, also an old one; else None (ID-07, E43)."""
    kid = _kid(token)
    row = (
        SigningKey.objects.filter(kid=kid, algorithm=standard_claims.ALGORITHM, withdrawn_at=0).first() if kid else None
    )
    if row is None:
        return None
    try:
        found = jwt.decode(token, RSAKey.import_key(json.loads(row.public_jwk)), algorithms=[standard_claims.ALGORITHM])
    except (JoseError, ValueError, TypeError):  # TypeError: joserfc on crit that holds a number
        return None
    hint = standard_claims.IdTokenHint(_text(found.claims, "sub"), _text(found.claims, "aud"))
    return hint if found.claims.get("iss") == settings.SMARTAUTH_ISSUER and all(hint) else None


def _kid(token: str) -> str:
    """The key that it names, "" for what has not the form of an ID token: an access token has another type."""
    if len(token) > MAX_LENGTH or not token.isascii():
        return ""
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, RecursionError):
        return ""
    return _text(header, "kid") if header.get("typ") == TYPE else ""


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""
