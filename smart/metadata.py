"""What the server says about itself, computed from what is switched on (DS-04 to DS-18)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from smart.authorize.rules import PROMPTS
from smart.openid.standard_claims import ALGORITHM as ID_TOKEN_ALGORITHM

Document = dict[str, str | bool | list[str]]

SMART_GRANTS = ("authorization_code", "client_credentials")
CLIENT_CAPABILITIES = {
    "none": "client-public",
    "secret": "client-confidential-symmetric",
    "keys": "client-confidential-asymmetric",
}
BACKEND_SCOPES = ("system/*.rs", "system/*.cruds", "system/*.read", "system/*.*")
_V1 = {"read", "write", "*"}
ASSERTION_ALGORITHMS = ["RS384", "ES384"]
CLAIMS = [
    "iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "fhirUser", "name", "given_name", "family_name",
    "preferred_username", "locale", "updated_at", "email", "email_verified",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What is switched on. An endpoint that does not exist is ""; the defaults are what the server does today."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str = ""
    introspection_endpoint: str = ""
    revocation_endpoint: str = ""
    jwks_uri: str = ""
    management_endpoint: str = ""
    registration_endpoint: str = ""
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    grants: frozenset[str] = frozenset({"authorization_code", "refresh_token", "client_credentials"})
    client_authentication: frozenset[str] = frozenset({"none", "secret"})
    launches: frozenset[str] = frozenset({"ehr", "standalone"})
    contexts: frozenset[str] = frozenset(
        {"banner", "ehr-encounter", "ehr-patient", "standalone-encounter", "standalone-patient", "style"}
    )
    permissions: frozenset[str] = frozenset({"patient", "user", "v1", "v2"})
    scopes: tuple[str, ...] = (
        "launch", "launch/patient", "launch/encounter", "patient/*.rs", "patient/*.cruds", "patient/*.read",
        "patient/*.*", "user/*.rs", "user/*.cruds", "user/*.read", "user/*.*",
    )  # fmt: skip
    openid: bool = False
    secret_in_token_body: bool = False

    @property
    def authorizes(self) -> bool:
        """Whether people are asked here."""
        return bool(self.authorization_endpoint and "authorization_code" in self.grants)

    @property
    def identity_scopes(self) -> tuple[str, ...]:
        """By which scopes an app may learn who signed in (SCP-16)."""
        return ("openid", "fhirUser") if self.openid and self.authorizes else ()

    @property
    def people_scopes(self) -> tuple[str, ...]:
        """What an app may ask a person for, of the families that are switched on (DS-10, DS-14)."""
        return tuple(filter(self._on, self.scopes)) if self.authorizes else ()

    @property
    def backend_scopes(self) -> tuple[str, ...]:
        """What a backend service may ask (SMART Backend Services)."""
        return tuple(filter(self._on, BACKEND_SCOPES)) if "client_credentials" in self.grants else ()

    def _on(self, scope: str) -> bool:
        context, _, rest = scope.partition("/")
        if context == "launch":
            return "ehr" in self.launches if not rest else f"standalone-{rest}" in self.contexts
        spelling = "v1" if rest.rpartition(".")[2] in _V1 else "v2"
        return spelling in self.permissions and context in {"system", *self.permissions}

    @property
    def refresh_kinds(self) -> tuple[str, ...]:
        """How apps may refresh, `online` only in launches from an EHR (SCP-17)."""
        if not self.authorizes or "refresh_token" not in self.grants:
            return ()
        return ("offline", "online") if "ehr" in self.launches else ("offline",)


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
