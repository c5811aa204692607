"""What an authorization request must satisfy, rule by rule and in which order (RFC 6749 §4.1.1, E1 to E43)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from smart.authorize.error_pages import Unredirectable
from smart.authorize.pkce import is_challenge
from smart.clients.redirect_uris import is_registered
from smart.fhir.audience import canonical_url, is_same_audience
from smart.fhir.versions import NO_FHIR, resource_types
from smart.http.errors import (
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from smart.http.parameters import Parameters
from smart.openid import standard_claims
from smart.scopes.categories import is_evaluable
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import (
    MAX_RESTRICTED,
    grantable_scope,
    has_legal_characters,
    has_too_many,
    parse_scopes,
    scope_string,
    scopes_beyond,
    without_unusable_fhir_user,
)
from smart.tokens.refresh import OFFLINE, ONLINE

AUTHORIZATION_CODE, REFRESH_TOKEN = "authorization_code", "refresh_token"
CONTEXT_SCOPES = frozenset({"launch", "launch/patient", "launch/encounter"})
IDENTITY_SCOPES = frozenset({"openid", "fhirUser", "profile"})
PICKER_SCOPES = frozenset({"launch/patient", "launch/encounter"})
PROMPTS = frozenset({"none", "login", "consent", "select_account"})

PKCE_PARAMETERS = frozenset({"code_challenge", "code_challenge_method"})
REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"

LONGEST_STATE = 2048
LONGEST = {  # characters; what is not listed is bounded by its own rule, or is not kept
    "nonce": 2048, "aud": 2048, "resource": 2048, "login_hint": 2048, "launch": 512, "ui_locales": 200, "prompt": 100,
    "id_token_hint": 8192,
}  # fmt: skip

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


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
    requires_state: bool = True
    strict_scopes: bool = False
    approved: bool = True
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
        return "" if self.client.openid else self.reachable(self.get("aud") or self.get("resource"))

    def reachable(self, url: str) -> str:
        served = {canonical_url(base) for base in self.bases}
        allowed = {canonical_url(base) for base in self.client.bases}
        return canonical_url(url) if url and canonical_url(url) in served & allowed else ""

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
        return bool(self.get("launch")) and any(part.short_name == "launch" for part in parse_scopes(self.get("scope")))

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


def is_supported(scope: Scope) -> bool:
    """Whether this server can grant it at all to an app that people use (E17, SCP-10, SCP-19)."""
    if scope.context:
        return scope.context in ("patient", "user") and is_evaluable(scope)
    return (
        scope.short_name in CONTEXT_SCOPES
        or scope.short_name in (OFFLINE, ONLINE)
        or scope.short_name in IDENTITY_SCOPES
    )


def names_left_out(requested: str, scope: str) -> tuple[str, ...]:
    """The names asked for of which not everything can be granted."""
    return tuple(part.name for part in scopes_beyond(requested, scope))


def _check_client_named_once(asked: UnvalidatedRequest) -> None:
    if asked.parameters.repeated & {"client_id", "redirect_uri"}:
        raise Unredirectable("E2", "client_id or redirect_uri was sent twice")


def _check_client_known(asked: UnvalidatedRequest) -> None:
    if not asked.client.enabled or asked.get("client_id") != asked.client.client_id:
        raise Unredirectable("E1", "client_id is missing, unknown or disabled")


def _check_not_pushed(asked: UnvalidatedRequest) -> None:
    # a pushed request holds the redirect_uri, so where one is not known there is nobody to answer to
    if asked.get("request_uri").startswith(REQUEST_URI_PREFIX):
        raise Unredirectable("E35", "request_uri names a pushed request, and none waits here")


def _check_client_has_redirect_uri(asked: UnvalidatedRequest) -> None:
    if not asked.client.redirect_uris:
        raise Unredirectable("E10", "the client has no redirect_uri")


def _check_redirect_uri_sent(asked: UnvalidatedRequest) -> None:
    if not asked.get("redirect_uri"):
        raise Unredirectable("E3", "redirect_uri is missing")


def _check_redirect_uri_registered(asked: UnvalidatedRequest) -> None:
    uri = asked.get("redirect_uri")
    if "#" in uri or uri.lower().startswith(("javascript:", "data:")):
        raise Unredirectable("E7", "redirect_uri has a fragment or a dangerous scheme")
    if not is_registered(uri, asked.client.redirect_uris, native=asked.client.native):
        raise Unredirectable("E4", "redirect_uri is not one of those registered")


def _check_state_length(asked: UnvalidatedRequest) -> None:
    # an answer without the state would be none, and a longer one no browser carries everywhere
    if len(asked.get("state")) > LONGEST_STATE:
        raise Unredirectable("E39", f"state is longer than {LONGEST_STATE} characters")


def _check_lengths(asked: UnvalidatedRequest) -> None:
    for name, longest in LONGEST.items():
        if len(asked.get(name)) > longest:
            raise InvalidRequest(f"{name} is longer than {longest} characters")


def _check_parameters_once(asked: UnvalidatedRequest) -> None:
    for name in sorted(asked.parameters.repeated):
        raise InvalidRequest(f"{name[:40]} was sent twice")


def _check_no_request_object(asked: UnvalidatedRequest) -> None:
    for error in (RequestNotSupported, RequestUriNotSupported, RegistrationNotSupported):
        name = error.code.removesuffix("_not_supported")
        if name in asked.parameters:
            raise error(f"{name} is not supported")


def _check_response_mode(asked: UnvalidatedRequest) -> None:
    if asked.parameters.get("response_mode", "query") != "query":
        raise InvalidRequest("only response_mode query is supported")


def _check_code_grant_allowed(asked: UnvalidatedRequest) -> None:
    if AUTHORIZATION_CODE not in asked.client.grants:
        raise UnauthorizedClient("this client may not use the authorization code grant")


def _check_response_type(asked: UnvalidatedRequest) -> None:
    if "response_type" not in asked.parameters:
        raise InvalidRequest("response_type is missing")
    if asked.get("response_type") != "code":
        raise UnsupportedResponseType("only response_type code is supported")


def _check_state_sent(asked: UnvalidatedRequest) -> None:
    if asked.client.requires_state and not asked.client.openid and "state" not in asked.parameters:
        raise InvalidRequest("state is missing")


def _check_pkce(asked: UnvalidatedRequest) -> None:
    if asked.client.openid and asked.client.confidential and not asked.parameters.keys() & PKCE_PARAMETERS:
        return
    if "code_challenge" not in asked.parameters or asked.get("code_challenge_method") != "S256":
        raise InvalidRequest("code_challenge is required with code_challenge_method S256")
    if not is_challenge(asked.get("code_challenge")):
        raise InvalidRequest("code_challenge must be 43 base64url characters")


def _check_audience(asked: UnvalidatedRequest) -> None:
    if asked.client.openid:
        return
    resource = asked.get("resource")
    if resource and not asked.reachable(resource):
        raise InvalidTarget("resource is not a FHIR base that this client may use here")
    if not resource and "aud" not in asked.parameters:
        raise InvalidRequest("aud is missing")
    if not asked.base:
        raise InvalidRequest("aud is not a FHIR base that this client may use here")
    if resource and not is_same_audience(resource, asked.base):
        raise InvalidRequest("resource and aud must agree")


def _check_scope_sent(asked: UnvalidatedRequest) -> None:
    if not asked.get("scope").strip(" "):
        raise InvalidScope("scope is missing")
    if not has_legal_characters(asked.get("scope")):
        raise InvalidScope("scope has a character that is not allowed")


def _check_scope_count(asked: UnvalidatedRequest) -> None:
    if has_too_many(asked.get("scope")):
        raise InvalidScope(f"scope names more than {MAX_RESTRICTED} restricted scopes")


def _check_prompt(asked: UnvalidatedRequest) -> None:
    prompts = set(asked.get("prompt").split(" ")) - {""}
    if not prompts <= PROMPTS:
        raise InvalidRequest("prompt knows none, login, consent and select_account")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt none stands alone")


def _check_max_age(asked: UnvalidatedRequest) -> None:
    if "max_age" in asked.parameters and not _SECONDS.fullmatch(asked.get("max_age")):
        raise InvalidRequest("max_age must be a whole number of seconds")


def _check_id_token_hint(asked: UnvalidatedRequest) -> None:
    if "id_token_hint" in asked.parameters and not asked.hinted_subject:
        raise InvalidRequest("id_token_hint is no ID token of this server")


def _check_scope_grantable(asked: UnvalidatedRequest) -> None:
    if not asked.scope:
        raise InvalidScope("none of the scopes can be granted to this client")
    if asked.client.strict_scopes and names_left_out(asked.get("scope"), asked.scope):
        raise InvalidScope("some of the scopes cannot be granted to this client")


def _check_launch(asked: UnvalidatedRequest) -> None:
    if asked.client.openid:
        return
    wanted = any(scope.short_name == "launch" for scope in parse_scopes(asked.get("scope")))
    if wanted and not asked.get("launch"):
        raise InvalidRequest("scope launch needs the launch parameter")
    if asked.get("launch") and not wanted and asked.client.strict_scopes:
        raise InvalidRequest("the launch parameter needs the scope launch")


REDIRECTION_RULES: tuple[Rule, ...] = (
    Rule("AZ-04", "E2", "client_id and redirect_uri are sent once.", _check_client_named_once),
    Rule("AZ-06", "E1", "The client is known and enabled.", _check_client_known),
    Rule("AZ-06", "E35", "No pushed request is named: none is taken here.", _check_not_pushed),
    Rule("AZ-06", "E10", "The client has a redirect URI.", _check_client_has_redirect_uri),
    Rule("AZ-03", "E3", "redirect_uri is sent.", _check_redirect_uri_sent),
    Rule("AZ-05", "E4 E5 E6 E7", "redirect_uri is exactly one of those registered.", _check_redirect_uri_registered),
    Rule("AZ-24", "E39", "state is no longer than 2048 characters.", _check_state_length),
)

RULES: tuple[Rule, ...] = (
    Rule("AZ-04", "E11", "No parameter is sent twice.", _check_parameters_once),
    Rule("AZ-24", "E39", "Nothing is longer than anybody needs.", _check_lengths),
    Rule("AZ-03", "E34", "No request object and no registration is sent.", _check_no_request_object),
    Rule("AZ-16", "E36", "The answer goes to the query of the redirect URI.", _check_response_mode),
    Rule("AZ-01", "E10", "The client may use the authorization code grant.", _check_code_grant_allowed),
    Rule("AZ-01", "E8 E9", "response_type is code.", _check_response_type),
    Rule("AZ-03", "E12", "state is sent.", _check_state_sent),
    Rule("AZ-07", "E21 E22 E23", "PKCE is used, with S256.", _check_pkce),
    Rule("AZ-22", "E33", "prompt is known and does not contradict itself.", _check_prompt),
    Rule("AZ-22", "E33", "max_age is a number of seconds.", _check_max_age),
    Rule("AZ-22", "E43", "id_token_hint is an ID token of this server.", _check_id_token_hint),
    Rule("AZ-08", "E18 E19 E20", "aud is a FHIR base that the client may use here.", _check_audience),
    Rule("AZ-03", "E13 E14", "scope is sent, in legal characters.", _check_scope_sent),
    Rule("AZ-10", "E24 E28", "The scope launch and the parameter launch come together.", _check_launch),
    Rule(
        "SCP-21", "E14", f"No more than {MAX_RESTRICTED} restricted scopes are asked for at once.", _check_scope_count
    ),
    Rule("SCP-06", "E15 E16 E17", "Some of the scopes can be granted.", _check_scope_grantable),
)
