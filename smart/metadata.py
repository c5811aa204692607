"""What the server says about itself, computed from what is switched on (DS-04 to DS-18)."""

from urllib.parse import urlsplit

from smart.authorize.rules import PROMPTS
from smart.openid.standard_claims import ALGORITHM as ID_TOKEN_ALGORITHM
from smart.server_facts import ServerFacts

Document = dict[str, str | bool | list[str]]

SMART_GRANTS = ("authorization_code", "client_credentials")
CLIENT_CAPABILITIES = {
    "none": "client-public",
    "secret": "client-confidential-symmetric",
    "keys": "client-confidential-asymmetric",
}
ASSERTION_ALGORITHMS = ["RS384", "ES384"]
CLAIMS = [
    "iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "fhirUser", "name", "given_name", "family_name",
    "preferred_username", "locale", "updated_at", "email", "email_verified",
]  # fmt: skip


def smart_configuration(facts: ServerFacts) -> Document:
    """The document under every FHIR base (SMART conformance). Without OpenID it names no issuer and no keys (DS-07)."""
    openid = {"issuer": facts.issuer, "jwks_uri": facts.jwks_uri} if facts.identity_scopes else {}
    return _without_empty(
        {
            **openid,
            **_endpoints(facts),
            "management_endpoint": facts.management_endpoint,
            "grant_types_supported": [grant for grant in SMART_GRANTS if grant in facts.grants],
            "token_endpoint_auth_methods_supported": _token_methods(facts),
            "capabilities": capabilities(facts),
        }
    )


def authorization_server_metadata(facts: ServerFacts) -> Document:
    """The document of RFC 8414 §2."""
    public = ["none"] if "none" in facts.client_authentication else []
    anywhere, signed = _confidential_methods(facts, in_body=True), _algorithms(facts)
    return _without_empty(
        {
            "issuer": facts.issuer,
            "jwks_uri": facts.jwks_uri,
            **_endpoints(facts),
            "grant_types_supported": sorted(facts.grants),
            "response_modes_supported": ["query"] if facts.authorizes else [],
            "token_endpoint_auth_methods_supported": [*_token_methods(facts), *public],
            "introspection_endpoint_auth_methods_supported": anywhere if facts.introspection_endpoint else [],
            "introspection_endpoint_auth_signing_alg_values_supported": signed if facts.introspection_endpoint else [],
            "revocation_endpoint_auth_methods_supported": [*anywhere, *public] if facts.revocation_endpoint else [],
            "revocation_endpoint_auth_signing_alg_values_supported": signed if facts.revocation_endpoint else [],
            "authorization_response_iss_parameter_supported": facts.authorizes,
        }
    )


def openid_configuration(facts: ServerFacts) -> Document:
    """The document of OpenID Connect Discovery §3 (DS-16): that of RFC 8414, and what only OpenID Connect asks."""
    public = ["none"] if "none" in facts.client_authentication else []
    return {
        **authorization_server_metadata(facts),
        **_without_empty(
            {"userinfo_endpoint": facts.userinfo_endpoint, "end_session_endpoint": facts.end_session_endpoint}
        ),
        # a plain OpenID client may always send its secret in the body; SMART apps read the other documents
        "token_endpoint_auth_methods_supported": [*_confidential_methods(facts, in_body=True), *public],
        "scopes_supported": [*_scopes(facts), "profile", "email"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ID_TOKEN_ALGORITHM],
        "claims_supported": CLAIMS,
        "prompt_values_supported": sorted(PROMPTS),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def protected_resource(facts: ServerFacts, base: str) -> Document:
    """The document of RFC 9728 §2 about a FHIR base."""
    families = [scope for scope in _scopes(facts) if "/" in scope and not scope.startswith("launch/")]
    return {
        "resource": base,
        "authorization_servers": [facts.issuer],
        "scopes_supported": families,
        "bearer_methods_supported": ["header"],
    }


def authzen_configuration(issuer: str) -> Document:
    """The document of AuthZEN §9.1: this server decides, and offers no search."""
    return {
        "policy_decision_point": issuer,
        "access_evaluation_endpoint": f"{issuer}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{issuer}/access/v1/evaluations",
    }


def capabilities(facts: ServerFacts) -> list[str]:
    """SMART's words for what is switched on, nothing else (SMART Conformance, capabilities)."""
    people = [
        *(f"launch-{launch}" for launch in sorted(facts.launches)),
        "authorize-post",
        *(f"context-{context}" for context in sorted(facts.contexts)),
    ]
    return [
        *(people if facts.authorizes else []),
        *(word for kind, word in CLIENT_CAPABILITIES.items() if kind in facts.client_authentication),
        *(["sso-openid-connect"] if facts.identity_scopes else []),
        *(f"permission-{permission}" for permission in sorted({*facts.permissions, *facts.refresh_kinds})),
    ]


def well_known(issuer: str, name: str) -> str:
    """Where RFC 8414 §3 and RFC 9728 §3 put a document: before the path of the issuer or resource."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


def _endpoints(facts: ServerFacts) -> Document:
    return {
        "authorization_endpoint": facts.authorization_endpoint if facts.authorizes else "",
        "token_endpoint": facts.token_endpoint,
        "introspection_endpoint": facts.introspection_endpoint,
        "revocation_endpoint": facts.revocation_endpoint,
        "registration_endpoint": facts.registration_endpoint,
        "scopes_supported": _scopes(facts),
        "response_types_supported": ["code"] if facts.authorizes else [],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_signing_alg_values_supported": _algorithms(facts),
    }


def _scopes(facts: ServerFacts) -> list[str]:
    refreshing = (f"{kind}_access" for kind in facts.refresh_kinds)
    return [*facts.identity_scopes, *facts.people_scopes, *facts.backend_scopes, *refreshing]


def _token_methods(facts: ServerFacts) -> list[str]:
    return _confidential_methods(facts, in_body=facts.secret_in_token_body)


def _confidential_methods(facts: ServerFacts, *, in_body: bool) -> list[str]:
    """Resource servers send the secret in the body too; at the token endpoint that is a switch (CL-02)."""
    secret = ["client_secret_basic", *(["client_secret_post"] if in_body else [])]
    signed = ["private_key_jwt"] if "keys" in facts.client_authentication else []
    return [*(secret if "secret" in facts.client_authentication else []), *signed]


def _algorithms(facts: ServerFacts) -> list[str]:
    return ASSERTION_ALGORITHMS if "keys" in facts.client_authentication else []


def _without_empty(document: Document) -> Document:
    required = {"grant_types_supported", "capabilities"}
    return {name: value for name, value in document.items() if value or name in required}
