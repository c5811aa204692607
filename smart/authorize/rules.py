"""What an authorization request must satisfy, rule by rule and in which order (RFC 6749 §4.1.1, E1 to E43)."""

import re

from smart.authorize.pkce import is_challenge
from smart.authorize.unvalidated_request import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    Rule,
    UnvalidatedRequest,
    names_left_out,
)
from smart.clients.scope_refusal import scope_refusal
from smart.clients.scope_rules import ScopeHolder
from smart.explanation import Why
from smart.fhir.audience import requested_base
from smart.http.errors import (
    InvalidRequest,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from smart.scopes.scope_parameter import check_characters, check_count
from smart.scopes.scope_sets import MAX_RESTRICTED, has_scope

PROMPTS = frozenset({"none", "login", "consent", "select_account"})

PKCE_PARAMETERS = frozenset({"code_challenge", "code_challenge_method"})


LONGEST = {  # characters; what is not listed is bounded by its own rule, or is not kept
    "nonce": 2048,
    "aud": 2048,
    "resource": 2048,
    "login_hint": 2048,
    "launch": 512,
    "ui_locales": 200,
    "prompt": 100,
    "id_token_hint": 8192,
}

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def _check_lengths(request: UnvalidatedRequest) -> None:
    for name, longest in LONGEST.items():
        if len(request.get(name)) > longest:
            presented = f"{len(request.get(name))} characters"
            raise InvalidRequest(f"{name} is longer than {longest} characters", presented=presented)


def _check_parameters_once(request: UnvalidatedRequest) -> None:
    for name in sorted(request.parameters.repeated):
        raise InvalidRequest(f"{name[:40]} was sent twice")


def _check_no_request_object(request: UnvalidatedRequest) -> None:
    for error in (RequestNotSupported, RequestUriNotSupported, RegistrationNotSupported):
        name = error.code.removesuffix("_not_supported")
        if name in request.parameters:
            raise error(f"{name} is not supported")


def _check_response_mode(request: UnvalidatedRequest) -> None:
    mode = request.parameters.get("response_mode", "query")
    if mode != "query":
        raise InvalidRequest("only response_mode query is supported", presented=mode, expected="query")


def _check_code_grant_allowed(request: UnvalidatedRequest) -> None:
    if AUTHORIZATION_CODE not in request.client.grants:
        allowed = ", ".join(sorted(request.client.grants)) or "no grant"
        raise UnauthorizedClient(
            "this client may not use the authorization code grant", presented=AUTHORIZATION_CODE, expected=allowed
        )


def _check_response_type(request: UnvalidatedRequest) -> None:
    if "response_type" not in request.parameters:
        raise InvalidRequest("response_type is missing", case="E8", expected="code")
    if request.get("response_type") != "code":
        presented = request.get("response_type")
        raise UnsupportedResponseType(
            "only response_type code is supported", case="E9", presented=presented, expected="code"
        )


def _check_state_sent(request: UnvalidatedRequest) -> None:
    if not request.client.allows_missing_state and not request.client.openid and "state" not in request.parameters:
        raise InvalidRequest("state is missing")


def _check_pkce(request: UnvalidatedRequest) -> None:
    if request.client.openid and request.client.confidential and not request.parameters.keys() & PKCE_PARAMETERS:
        return
    challenge, method = request.get("code_challenge"), request.get("code_challenge_method")
    if not challenge or method != "S256":
        presented = f"code_challenge_method {method or 'left out'}" if challenge else "no code_challenge"
        raise InvalidRequest(
            "code_challenge is required with code_challenge_method S256",
            case="E22" if challenge else "E21",
            presented=presented,
            expected="S256",
        )
    if not is_challenge(challenge):
        presented = f"{len(challenge)} characters"
        words = "code_challenge must be 43 base64url characters"
        raise InvalidRequest(words, case="E23", presented=presented, expected="43 characters")


def _check_audience(request: UnvalidatedRequest) -> None:
    if request.client.openid:
        return
    if not (request.get("aud") or request.get("resource")):
        raise InvalidRequest("aud is missing", case="E18", expected=", ".join(sorted(request.reachable_bases)))
    requested_base(request.get("aud"), request.get("resource"), request.reachable_bases)


def _check_scope_sent(request: UnvalidatedRequest) -> None:
    check_characters(request.get("scope"))


def _check_scope_count(request: UnvalidatedRequest) -> None:
    check_count(request.get("scope"))


def _check_prompt(request: UnvalidatedRequest) -> None:
    prompts = set(request.get("prompt").split(" ")) - {""}
    if not prompts <= PROMPTS:
        shown: Why = {"presented": request.get("prompt"), "expected": ", ".join(sorted(PROMPTS))}
        raise InvalidRequest("prompt knows none, login, consent and select_account", **shown)
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt none stands alone", presented=request.get("prompt"))


def _check_max_age(request: UnvalidatedRequest) -> None:
    if "max_age" in request.parameters and not _SECONDS.fullmatch(request.get("max_age")):
        raise InvalidRequest("max_age must be a whole number of seconds", presented=request.get("max_age"))


def _check_id_token_hint(request: UnvalidatedRequest) -> None:
    if "id_token_hint" in request.parameters and not request.hinted_subject:
        raise InvalidRequest("id_token_hint is no ID token of this server")


def _check_scope_grantable(request: UnvalidatedRequest) -> None:
    scope, client = request.scope, request.client
    if scope and not (client.refuses_unknown_scopes and names_left_out(request.get("scope"), scope)):
        return
    holder = ScopeHolder(client.grants - {CLIENT_CREDENTIALS}, (request.fhir_version,), client.openid)
    launched = request.is_ehr_launch
    raise scope_refusal(request.get("scope"), scope, holder, registered=client.scope, is_ehr_launch=launched)


def _check_launch(request: UnvalidatedRequest) -> None:
    if request.client.openid:
        return
    wanted = has_scope(request.get("scope"), "launch")
    if wanted and not request.get("launch"):
        raise InvalidRequest("scope launch needs the launch parameter", case="E24")
    if request.get("launch") and not wanted and request.client.refuses_unknown_scopes:
        raise InvalidRequest("the launch parameter needs the scope launch", case="E28")


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
