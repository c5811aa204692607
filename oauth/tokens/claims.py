"""What a token says: in the JWT, and when a resource server asks about it, in the words that this server reads."""

from typing import Any, NamedTuple

from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.person_claims import person_claims
from smart.scopes.v1_scopes import with_v1
from smart.tokens.claim_profiles import IssuedToken, extra_claims, jwt_claims, profile_mapping


class TokenClaims(NamedTuple):
    """The claims of the JWT, and the introspection answer of a live token, kept ready as it is sent."""

    jwt: dict[str, Any]
    introspection: dict[str, Any]


def build_claims(authorization: AuthorizationState, claims: dict[str, Any], scope: str) -> TokenClaims:
    """Both with what the FHIR server's claim profile adds. Only the answer names v1 scopes beside v2's (WF-19)."""
    mapping = profile_mapping(authorization.claim_profile, authorization.claim_mapping)
    extra = extra_claims(mapping, IssuedToken(claims, authorization.fhir_user))
    v1_scope = {"scope": with_v1(scope)} if authorization.v1_equivalents else {}
    person = person_claims(authorization, scope)
    answer = {"active": True, "token_type": "Bearer", **claims, **v1_scope, **extra, **person}
    return TokenClaims(jwt_claims(claims, extra) if extra else claims, answer)
