"""Which scopes a client may be registered for: those that it can ever be granted (SCP-08, SCP-19, BK-03, CG-07)."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from smart.authorize.unvalidated_request import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN, is_supported
from smart.fhir.versions import FHIR_VERSIONS, resource_types
from smart.openid import standard_claims
from smart.scopes.categories import is_evaluable
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import FHIR_USER, MAX_RESTRICTED, has_too_many, is_for_backend, is_for_people, parse_scopes
from smart.text import ascii_excerpt
from smart.tokens.refresh import OFFLINE, ONLINE

_SEPARATORS = re.compile(r"[,;|]")


@dataclass(frozen=True, slots=True)
class ScopeHolder:
    """What decides which scopes a client can be granted. `versions` are those of the FHIR servers it may reach."""

    grants: frozenset[str]
    versions: tuple[str, ...] = ()
    openid: bool = False
    patient: str = ""

    @property
    def is_app(self) -> bool:
        """Whether people use it."""
        return AUTHORIZATION_CODE in self.grants

    @property
    def is_service(self) -> bool:
        """Whether it asks for itself."""
        return CLIENT_CREDENTIALS in self.grants


def scope_problems(text: str, holder: ScopeHolder) -> list[str]:
    """One sentence for each scope that could never be granted to this client."""
    scopes = parse_scopes(text)
    if scopes and not (holder.is_app or holder.is_service):
        return ["a client without authorization_code and client_credentials is granted no scope."]
    problems = [
        f"{ascii_excerpt(scope.name)}: {problem}{'' if problem.endswith('?') else '.'}"
        for scope in scopes
        if (problem := scope_problem(scope, holder))
    ]
    return [*problems, *_set_problems(text, scopes, holder)]


def _set_problems(text: str, scopes: Iterable[Scope], holder: ScopeHolder) -> Iterator[str]:
    plain = {scope.short_name for scope in scopes}
    if has_too_many(text):
        yield f"at most {MAX_RESTRICTED} restricted scopes."
    if holder.is_app and not holder.openid and "openid" not in plain:
        yield from (f"{name}: is granted only together with openid." for name in sorted(FHIR_USER & plain))
    if holder.openid and plain and "openid" not in plain:
        yield "openid is missing, and plain OpenID Connect is granted nothing without it."


def scope_problem(scope: Scope, holder: ScopeHolder) -> str:
    """Why this one can never be granted to such a client, "" if it can."""
    return _name_problem(scope) or _type_problem(scope, holder.versions) or _holder_problem(scope, holder)


def _name_problem(scope: Scope) -> str:
    if scope.is_known:
        return ""
    parts = [part for part in _SEPARATORS.split(scope.name) if part]
    if len(parts) > 1 and any(Scope.parse(part).is_known for part in parts):
        return "scopes are separated by spaces"
    return "we know no such scope"


def _type_problem(scope: Scope, versions: Iterable[str]) -> str:
    """SCP-08: of a type that one of the FHIR servers knows; without a server, that any version knows."""
    known_versions = tuple(dict.fromkeys(versions)) or FHIR_VERSIONS
    types = frozenset().union(*map(resource_types, known_versions))
    if not scope.context or scope.resource == "*" or scope.resource in types:
        return ""
    close = difflib.get_close_matches(scope.resource, sorted(types), n=1)
    hint = f". Did you mean {close[0]}?" if close else ""
    return f"{' or '.join(map(str.upper, known_versions))} has no resource type {scope.resource}{hint}"


def _holder_problem(scope: Scope, holder: ScopeHolder) -> str:
    """SCP-19: what an app, a backend service and plain OpenID Connect can never have."""
    if holder.openid and scope.short_name not in standard_claims.SCOPES:
        return "is never granted to plain OpenID Connect"
    problems = [
        *([_app_problem(scope, holder)] if holder.is_app else []),
        *([_service_problem(scope, holder)] if holder.is_service else []),
    ]
    return problems[0] if all(problems) else ""


def _app_problem(scope: Scope, holder: ScopeHolder) -> str:
    if not is_for_people(scope):
        return "only a backend service may have it"
    if scope.short_name in (OFFLINE, ONLINE) and REFRESH_TOKEN not in holder.grants:
        return "only an app that may stay connected (refresh_token) may have it"
    return "" if holder.openid or is_supported(scope) else _unsupported_reason(scope)


def _service_problem(scope: Scope, holder: ScopeHolder) -> str:
    if not is_for_backend(scope):
        return "only an app that people use may have it"
    if scope.context == "user":
        return "a backend service has no user"
    if scope.context == "patient" and not holder.patient:
        return ""  # that the patient is missing is said of the patient
    return "" if is_evaluable(scope) else _unsupported_reason(scope)


def _unsupported_reason(scope: Scope) -> str:
    if scope.query:
        return "can be restricted only by category or code of Observation and Condition, each as system|code"
    if scope.short_name == "email":
        return "only plain OpenID Connect is granted it"
    return "is never granted to an app that people use"
