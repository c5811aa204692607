"""Backend services (SMART Backend Services): what a client may have that asks for itself, without a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from smart.authorize.unvalidated_request import CLIENT_CREDENTIALS
from smart.clients.scope_refusal import scope_refusal
from smart.clients.scope_rules import ScopeHolder
from smart.fhir.audience import requested_base
from smart.fhir.versions import resource_types
from smart.http.errors import InvalidRequest, UnauthorizedClient
from smart.http.parameters import Parameters
from smart.scopes.categories import is_evaluable
from smart.scopes.scope import Scope
from smart.scopes.scope_parameter import check_characters, check_count
from smart.scopes.scope_sets import (
    grantable_scope,
    is_for_backend,
    parse_scopes,
    scope_string,
    scopes_beyond,
)

GRANT = CLIENT_CREDENTIALS


@dataclass(frozen=True, slots=True)
class BackendService:
    """What the operator has registered. `bases` are the FHIR bases with their version, `patient` the one it is for."""

    authentication: str
    scope: str
    bases: Mapping[str, str] = field(default_factory=dict)
    patient: str = ""
    by_secret: bool = False
    fhir: bool = True
    refuses_unknown_scopes: bool = False

    def may_have(self, scope: Scope) -> bool:
        """Whether it can be given at all without a person (BK-03, SCP-10, SCP-19, E98)."""
        contexts = {"", "system", *(["patient"] if self.patient else [])}
        return is_for_backend(scope) and scope.context in contexts and is_evaluable(scope)


@dataclass(frozen=True, slots=True)
class BackendGrant:
    """What one request gets: at which base, which scopes, about which patient; `allowed` is all it might have asked."""

    base: str
    scope: str
    patient: str
    allowed: str


def validate_grant(parameters: Parameters, service: BackendService) -> BackendGrant:
    """The request as it is granted. Raises UnauthorizedClient, InvalidRequest, InvalidTarget or InvalidScope."""
    _check_may_ask(service)
    base = _base(parameters, service)
    scope = _scope(parameters.get("scope", ""), service, service.bases[base])
    about_one = _about_one(parse_scopes(scope))
    contexts = ("", "patient" if about_one else "system")
    allowed = scope_string(
        part for part in parse_scopes(service.scope) if part.context in contexts and service.may_have(part)
    )
    return BackendGrant(base, scope, service.patient if about_one else "", allowed)


def _check_may_ask(service: BackendService) -> None:
    """BK-01, E95: keys, or a secret where the operator has switched that on."""
    proves = service.authentication == "keys" or (service.authentication == "secret" and service.by_secret)
    if not proves or not service.fhir:
        raise UnauthorizedClient(
            "this client may not use client_credentials: it needs keys",
            rule="BK-01",
            case="E95",
            presented=service.authentication,
            expected="keys",
        )


def _base(parameters: Parameters, service: BackendService) -> str:
    """The base meant by `aud` or its synonym `resource` (RFC 8707); the client's only one may be left out."""
    if named := requested_base(parameters.get("aud", ""), parameters.get("resource", ""), service.bases):
        return named
    if len(service.bases) != 1:
        raise InvalidRequest(
            "aud must name one of the FHIR bases that this client may use here",
            rule="AT-03",
            presented="no aud",
            expected=", ".join(sorted(service.bases)) or "no FHIR base is open to this client",
        )
    return next(iter(service.bases))


def _scope(requested: str, service: BackendService, version: str) -> str:
    """What of the scopes asked the operator allows (BK-02, E96, E97)."""
    check_characters(requested)
    check_count(requested)
    parts = parse_scopes(
        grantable_scope(requested, service.scope, types=resource_types(version), supported=service.may_have)
    )
    # a token about one patient is about nobody else: a FHIR server must not have to guess which of the two is meant
    scope = scope_string(part for part in parts if not (part.context == "system" and _about_one(parts)))
    if not scope or (service.refuses_unknown_scopes and scopes_beyond(requested, scope)):
        holder = ScopeHolder(frozenset({GRANT}), (version,), patient=service.patient)
        raise scope_refusal(requested, scope, holder, registered=service.scope)
    return scope


def _about_one(parts: Iterable[Scope]) -> bool:
    return any(part.context == "patient" for part in parts)
