"""What a token says: in the JWT, and when a resource server asks about it, in the words that this server reads."""

from typing import Any, NamedTuple

from oauth.tokens import person_claims
from oauth.tokens.authorization_state import AuthorizationState
from smart.scopes.v1_scopes import with_v1
from smart.tokens.claim_profiles import TokenFacts, extra_claims, jwt_claims, profile_mapping


class TokenClaims(NamedTuple):
    """The claims of the JWT, and the introspection answer of a live token, kept ready as it is sent."""

    jwt: dict[str, Any]
    answer: dict[str, Any]


def build_claims(grant: AuthorizationState, claims: dict[str, Any], scope: str) -> TokenClaims:
    """Both with what the FHIR server's claim profile adds. Only the answer names v1 scopes beside v2's (WF-19)."""
    more = extra_claims(profile_mapping(grant.claim_profile, grant.claim_mapping), TokenFacts(claims, grant.fhir_user))
    named = {"scope": with_v1(scope)} if grant.v1_equivalents else {}
    answer = {
        "active": True,
        "token_type": "Bearer",
        **claims,
        **named,
        **more,
        **person_claims.person_claims(grant, scope),
    }
    return TokenClaims(jwt_claims(claims, more) if more else claims, answer)
