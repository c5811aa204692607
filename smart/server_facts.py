"""What is switched on in a server, from which everything that it says about itself is computed (DS-04, DS-10)."""

from dataclasses import dataclass

BACKEND_SCOPES = ("system/*.rs", "system/*.cruds", "system/*.read", "system/*.*")
_V1 = {"read", "write", "*"}


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
