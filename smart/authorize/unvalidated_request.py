"""An authorization request as it came, and what the rules ask of it before it is believed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from smart.fhir.audience import canonical_url, is_same_audience
from smart.fhir.versions import NO_FHIR, resource_types
from smart.http.errors import OAuthError
from smart.http.parameters import Parameters
from smart.openid import standard_claims
from smart.scopes.categories import is_evaluable
from smart.scopes.scope import LAUNCH_SCOPES, Scope
from smart.scopes.scope_sets import (
    grantable_scope,
    has_scope,
    parse_scopes,
    scope_string,
    scopes_beyond,
    without_unusable_fhir_user,
)
from smart.tokens.refresh import OFFLINE, ONLINE

AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS = "authorization_code", "refresh_token", "client_credentials"
IDENTITY_SCOPES = frozenset({"openid", "fhirUser", "profile"})
PICKER_SCOPES = frozenset({"launch/patient", "launch/encounter"})


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """What the operator allows one client. The empty one is the client that nobody knows."""

    client_id: str = ""
    enabled: bool = False
    native: bool = False
    grants: frozenset[str] = frozenset()
    redirect_uris: tuple[str, ...] = ()
    scope: str = ""
    bases: tuple[str, ...] = ()
    allows_missing_state: bool = False
    refuses_unknown_scopes: bool = False
    confidential: bool = False  # it has a secret or keys
    openid: bool = False  # plain OpenID Connect: looser, and no FHIR scope is ever granted


@dataclass(frozen=True, slots=True)
class UnvalidatedRequest:
    """What a rule looks at: the parameters, the client's policy, and the FHIR bases served here with their version.

    `hinted_subject` is the person that the ID token names which the app shows, "" if this server signed none such.
    """

    parameters: Parameters
    client: ClientPolicy
    bases: Mapping[str, str]
    hinted_subject: str = ""

    def get(self, name: str) -> str:
        return self.parameters.get(name, "")

    @property
    def base(self) -> str:
        """The base meant by `aud` or its synonym `resource`, "" if the client may not use it (AZ-08, AZ-09)."""
        named = canonical_url(self.get("aud") or self.get("resource"))
        return named if named in self.reachable_bases else ""

    @property
    def reachable_bases(self) -> set[str]:
        """The bases that are served here and open to the client; none for plain OpenID Connect."""
        if self.client.openid:
            return set()
        return {canonical_url(base) for base in self.bases} & {canonical_url(base) for base in self.client.bases}

    @property
    def fhir_version(self) -> str:
        if self.client.openid:
            return NO_FHIR
        return next(version for base, version in self.bases.items() if is_same_audience(base, self.base))

    @property
    def scope(self) -> str:
        """What of the scopes this client may get at this base, by this kind of launch."""
        types = resource_types(self.fhir_version)
        found = grantable_scope(self.get("scope"), self.client.scope, types=types, supported=self._grantable)
        if self.client.openid and not standard_claims.has_openid(found):
            return ""
        return scope_string(without_unusable_fhir_user(parse_scopes(found)))

    @property
    def is_ehr_launch(self) -> bool:
        """Whether an EHR launched the app: it has sent the handle and wants its context."""
        return bool(self.get("launch")) and has_scope(self.get("scope"), "launch")

    def _grantable(self, scope: Scope) -> bool:
        """No refresh is promised to a client without that grant; online_access is for launches from an EHR (SCP-17)."""
        if scope.short_name in (OFFLINE, ONLINE) and REFRESH_TOKEN not in self.client.grants:
            return False
        if self.client.openid:
            return scope.short_name in standard_claims.SCOPES
        return is_supported(scope) and (scope.short_name != ONLINE or self.is_ehr_launch)


class Rule(NamedTuple):
    """One row of the table: which requirement, which bad inputs, what is demanded, and the check that raises."""

    rule: str
    cases: str
    sentence: str
    check: Callable[[UnvalidatedRequest], None]

    def require(self, request: UnvalidatedRequest) -> None:
        """Raises what the check raises; an OAuthError names this rule then, and a row of the bad input."""
        try:
            self.check(request)
        except OAuthError as error:
            error.why = {"case": self.cases.partition(" ")[0], **error.why, "rule": self.rule}
            raise


def is_supported(scope: Scope) -> bool:
    """Whether this server can grant it at all to an app that people use (E17, SCP-10, SCP-19)."""
    if scope.context:
        return scope.context in ("patient", "user") and is_evaluable(scope)
    return scope.short_name in {*LAUNCH_SCOPES, OFFLINE, ONLINE, *IDENTITY_SCOPES}


def names_left_out(requested: str, scope: str) -> tuple[str, ...]:
    """The names asked for of which not everything can be granted."""
    return tuple(part.name for part in scopes_beyond(requested, scope))
