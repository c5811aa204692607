"""Table A of the requirements, row by row: what an authorization request must satisfy, and in which order."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from smart.authorize.error_pages import Unredirectable
from smart.authorize.pkce import is_challenge
from smart.clients.redirect_uris import registered
from smart.fhir.audience import canonical, same_audience
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
from smart.scopes import MOST, Scope, beyond, granted, identified, legal, names, parse, too_many
from smart.scopes.categories import evaluable
from smart.tokens.refresh import OFFLINE, ONLINE

AUTHORIZATION_CODE, REFRESH_TOKEN = "authorization_code", "refresh_token"
CONTEXT_SCOPES = frozenset({"launch", "launch/patient", "launch/encounter"})
IDENTITY_SCOPES = frozenset({"openid", "fhirUser", "profile"})
PICKED = frozenset({"launch/patient", "launch/encounter"})
PROMPTS = frozenset({"none", "login", "consent", "select_account"})

PROOF_KEY = frozenset({"code_challenge", "code_challenge_method"})
PUSHED = "urn:ietf:params:oauth:request_uri:"

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
class Asked:
    """What a rule looks at: the parameters, the client's policy, and the FHIR bases served here with their version.

    `hinted` is whom the ID token names that the app shows, "" if this server signed none such.
    """

    parameters: Parameters
    client: ClientPolicy
    bases: Mapping[str, str]
    hinted: str = ""

    def get(self, name: str) -> str:
        return self.parameters.get(name, "")

    @property
    def base(self) -> str:
        """The base meant by `aud` or its synonym `resource`, "" if the client may not use it (AZ-08, AZ-09)."""
        return "" if self.client.openid else self.reachable(self.get("aud") or self.get("resource"))

    def reachable(self, url: str) -> str:
        served = {canonical(base) for base in self.bases}
        allowed = {canonical(base) for base in self.client.bases}
        return canonical(url) if url and canonical(url) in served & allowed else ""

    @property
    def fhir_version(self) -> str:
        if self.client.openid:
            return NO_FHIR
        return next(version for base, version in self.bases.items() if same_audience(base, self.base))

    @property
    def scope(self) -> str:
        """What of the scopes this client may get at this base, by this kind of launch."""
        types = resource_types(self.fhir_version)
        found = granted(self.get("scope"), self.client.scope, types=types, supported=self._grantable)
        if self.client.openid and not standard_claims.recognises(found):
            return ""
        return names(identified(parse(found)))

    @property
    def in_ehr(self) -> bool:
        """Whether an EHR launched the app: it has sent the handle and wants its context."""
        return bool(self.get("launch")) and any(part.plain == "launch" for part in parse(self.get("scope")))

    def _grantable(self, scope: Scope) -> bool:
        """No refresh is promised to a client without that grant; online_access is for launches from an EHR (SCP-17)."""
        if scope.plain in (OFFLINE, ONLINE) and REFRESH_TOKEN not in self.client.grants:
            return False
        if self.client.openid:
            return scope.plain in standard_claims.SCOPES
        return supported(scope) and (scope.plain != ONLINE or self.in_ehr)


class Rule(NamedTuple):
    """One row of the table: which requirement, which bad inputs, what is demanded, and the check that raises."""

    rule: str
    cases: str
    sentence: str
    check: Callable[[Asked], None]


def supported(scope: Scope) -> bool:
    """Whether this server can grant it at all to an app that people use (E17, SCP-10, SCP-19)."""
    if scope.context:
        return scope.context in ("patient", "user") and evaluable(scope)
    return scope.plain in CONTEXT_SCOPES or scope.plain in (OFFLINE, ONLINE) or scope.plain in IDENTITY_SCOPES


def left_out(requested: str, scope: str) -> tuple[str, ...]:
    """The names asked for of which not everything can be granted."""
    return tuple(part.name for part in beyond(requested, scope))


def _identified_once(asked: Asked) -> None:
    if asked.parameters.repeated & {"client_id", "redirect_uri"}:
        raise Unredirectable("E2", "client_id or redirect_uri was sent twice")


def _known_client(asked: Asked) -> None:
    if not asked.client.enabled or asked.get("client_id") != asked.client.client_id:
        raise Unredirectable("E1", "client_id is missing, unknown or disabled")


def _nothing_pushed(asked: Asked) -> None:
    # a pushed request holds the redirect_uri, so where one is not known there is nobody to answer to
    if asked.get("request_uri").startswith(PUSHED):
        raise Unredirectable("E35", "request_uri names a pushed request, and none waits here")


def _client_of_people(asked: Asked) -> None:
    if not asked.client.redirect_uris:
        raise Unredirectable("E10", "the client has no redirect_uri")


def _redirect_uri_sent(asked: Asked) -> None:
    if not asked.get("redirect_uri"):
        raise Unredirectable("E3", "redirect_uri is missing")


def _redirect_uri_registered(asked: Asked) -> None:
    uri = asked.get("redirect_uri")
    if "#" in uri or uri.lower().startswith(("javascript:", "data:")):
        raise Unredirectable("E7", "redirect_uri has a fragment or a dangerous scheme")
    if not registered(uri, asked.client.redirect_uris, native=asked.client.native):
        raise Unredirectable("E4", "redirect_uri is not one of those registered")


def _everything_once(asked: Asked) -> None:
    for name in sorted(asked.parameters.repeated):
        raise InvalidRequest(f"{name[:40]} was sent twice")


def _no_request_object(asked: Asked) -> None:
    for error in (RequestNotSupported, RequestUriNotSupported, RegistrationNotSupported):
        name = error.code.removesuffix("_not_supported")
        if name in asked.parameters:
            raise error(f"{name} is not supported")


def _answered_in_the_query(asked: Asked) -> None:
    if asked.parameters.get("response_mode", "query") != "query":
        raise InvalidRequest("only response_mode query is supported")


def _code_grant_allowed(asked: Asked) -> None:
    if AUTHORIZATION_CODE not in asked.client.grants:
        raise UnauthorizedClient("this client may not use the authorization code grant")


def _response_type_code(asked: Asked) -> None:
    if "response_type" not in asked.parameters:
        raise InvalidRequest("response_type is missing")
    if asked.get("response_type") != "code":
        raise UnsupportedResponseType("only response_type code is supported")


def _state_sent(asked: Asked) -> None:
    if asked.client.requires_state and not asked.client.openid and "state" not in asked.parameters:
        raise InvalidRequest("state is missing")


def _proof_key(asked: Asked) -> None:
    if asked.client.openid and asked.client.confidential and not asked.parameters.keys() & PROOF_KEY:
        return
    if "code_challenge" not in asked.parameters or asked.get("code_challenge_method") != "S256":
        raise InvalidRequest("code_challenge is required with code_challenge_method S256")
    if not is_challenge(asked.get("code_challenge")):
        raise InvalidRequest("code_challenge must be 43 base64url characters")


def _audience(asked: Asked) -> None:
    if asked.client.openid:
        return
    resource = asked.get("resource")
    if resource and not asked.reachable(resource):
        raise InvalidTarget("resource is not a FHIR base that this client may use here")
    if not resource and "aud" not in asked.parameters:
        raise InvalidRequest("aud is missing")
    if not asked.base:
        raise InvalidRequest("aud is not a FHIR base that this client may use here")
    if resource and not same_audience(resource, asked.base):
        raise InvalidRequest("resource and aud must agree")


def _scope_sent(asked: Asked) -> None:
    if not asked.get("scope").strip(" "):
        raise InvalidScope("scope is missing")
    if not legal(asked.get("scope")):
        raise InvalidScope("scope has a character that is not allowed")


def _scopes_counted(asked: Asked) -> None:
    if too_many(asked.get("scope")):
        raise InvalidScope(f"scope names more than {MOST} restricted scopes")


def _prompt_known(asked: Asked) -> None:
    prompts = set(asked.get("prompt").split(" ")) - {""}
    if not prompts <= PROMPTS:
        raise InvalidRequest("prompt knows none, login, consent and select_account")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt none stands alone")


def _max_age_whole(asked: Asked) -> None:
    if "max_age" in asked.parameters and not _SECONDS.fullmatch(asked.get("max_age")):
        raise InvalidRequest("max_age must be a whole number of seconds")


def _own_id_token(asked: Asked) -> None:
    if "id_token_hint" in asked.parameters and not asked.hinted:
        raise InvalidRequest("id_token_hint is no ID token of this server")


def _something_grantable(asked: Asked) -> None:
    if not asked.scope:
        raise InvalidScope("none of the scopes can be granted to this client")
    if asked.client.strict_scopes and left_out(asked.get("scope"), asked.scope):
        raise InvalidScope("some of the scopes cannot be granted to this client")


def _launch_sent(asked: Asked) -> None:
    if asked.client.openid:
        return
    wanted = any(scope.plain == "launch" for scope in parse(asked.get("scope")))
    if wanted and not asked.get("launch"):
        raise InvalidRequest("scope launch needs the launch parameter")
    if asked.get("launch") and not wanted and asked.client.strict_scopes:
        raise InvalidRequest("the launch parameter needs the scope launch")


REDIRECTION_RULES: tuple[Rule, ...] = (
    Rule("AZ-04", "E2", "client_id and redirect_uri are sent once.", _identified_once),
    Rule("AZ-06", "E1", "The client is known and enabled.", _known_client),
    Rule("AZ-06", "E35", "No pushed request is named: none is taken here.", _nothing_pushed),
    Rule("AZ-06", "E10", "The client has a redirect URI.", _client_of_people),
    Rule("AZ-03", "E3", "redirect_uri is sent.", _redirect_uri_sent),
    Rule("AZ-05", "E4 E5 E6 E7", "redirect_uri is exactly one of those registered.", _redirect_uri_registered),
)

RULES: tuple[Rule, ...] = (
    Rule("AZ-04", "E11", "No parameter is sent twice.", _everything_once),
    Rule("AZ-03", "E34", "No request object and no registration is sent.", _no_request_object),
    Rule("AZ-16", "E36", "The answer goes to the query of the redirect URI.", _answered_in_the_query),
    Rule("AZ-01", "E10", "The client may use the authorization code grant.", _code_grant_allowed),
    Rule("AZ-01", "E8 E9", "response_type is code.", _response_type_code),
    Rule("AZ-03", "E12", "state is sent.", _state_sent),
    Rule("AZ-07", "E21 E22 E23", "PKCE is used, with S256.", _proof_key),
    Rule("AZ-22", "E33", "prompt is known and does not contradict itself.", _prompt_known),
    Rule("AZ-22", "E33", "max_age is a number of seconds.", _max_age_whole),
    Rule("AZ-22", "E43", "id_token_hint is an ID token of this server.", _own_id_token),
    Rule("AZ-08", "E18 E19 E20", "aud is a FHIR base that the client may use here.", _audience),
    Rule("AZ-03", "E13 E14", "scope is sent, in legal characters.", _scope_sent),
    Rule("AZ-10", "E24 E28", "The scope launch and the parameter launch come together.", _launch_sent),
    Rule("SCP-21", "E14", f"No more than {MOST} restricted scopes are asked for at once.", _scopes_counted),
    Rule("SCP-06", "E15 E16 E17", "Some of the scopes can be granted.", _something_grantable),
)
