"""The authorization request, judged (AZ-01 to AZ-11, AZ-16): first where an answer may go, then all the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from smart.authorize.error_pages import Unredirectable
from smart.authorize.redirection_rules import REDIRECTION_RULES
from smart.authorize.rules import RULES
from smart.authorize.unvalidated_request import (
    PICKER_SCOPES,
    ClientPolicy,
    Rule,
    UnvalidatedRequest,
    names_left_out,
)
from smart.explanation import RuleOutcome, State
from smart.http.errors import OAuthError
from smart.http.parameters import Parameters
from smart.scopes.scope import LAUNCH_SCOPES
from smart.scopes.scope_sets import has_scope, parse_scopes

_KEPT = ("state", "code_challenge", "nonce", "prompt", "max_age", "login_hint", "ui_locales")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be put before the person. `scope` is what they may allow, `aud` the canonical FHIR base."""

    client_id: str
    redirect_uri: str
    state: str
    scope: str
    requested_scope: str
    left_out: tuple[str, ...]
    aud: str
    fhir_version: str
    code_challenge: str
    needs_patient: bool
    needs_encounter: bool = False
    launch: str = ""  # the handle; only when the scope launch may be granted (E28)
    nonce: str = ""
    prompt: str = ""
    max_age: str = ""
    login_hint: str = ""
    ui_locales: str = ""
    openid: bool = False  # plain OpenID Connect: about the person, about no record
    subject: str = ""  # the person that the app expects, by an ID token that it got here (E43)

    @property
    def prompts(self) -> frozenset[str]:
        """What the app wants the person to be asked, or "none" (OIDC Core §3.1.2.1)."""
        return frozenset(self.prompt.split(" ")) - {""}

    @property
    def max_login_age(self) -> int | None:
        """How many seconds before the request a login may lie at most; None = as long as the session lives."""
        if self.prompts & {"login", "select_account"}:
            return 0
        return int(self.max_age) if self.max_age else None

    @property
    def reads_records(self) -> bool:
        """Whether it asks for anything beside who the person is."""
        return any(part.context or part.short_name in LAUNCH_SCOPES for part in parse_scopes(self.scope))

    @property
    def has_user_scopes(self) -> bool:
        """Whether it asks for everything that the person may see, not for one record alone."""
        return any(part.context == "user" for part in parse_scopes(self.scope))


def trusted_redirect_uri(parameters: Parameters, client: ClientPolicy | None) -> str:
    """The redirect URI, proved to be the client's. Raises Unredirectable: nothing may be sent anywhere (AZ-06)."""
    request = UnvalidatedRequest(parameters, client or ClientPolicy(), {})
    for rule in REDIRECTION_RULES:
        rule.require(request)
    return parameters["redirect_uri"]


def validate_request(
    parameters: Parameters, client: ClientPolicy, bases: Mapping[str, str], *, hinted_subject: str = ""
) -> AuthorizationRequest:
    """The request as it may be put before the person. Raises the OAuthError that goes to the redirect URI.

    `hinted_subject` is the person that its id_token_hint names, "" if that is none of ours: there are no keys in here.
    """
    request = UnvalidatedRequest(parameters, client, bases, hinted_subject)
    for rule in RULES:
        rule.require(request)
    scope = request.scope
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=parameters["redirect_uri"],
        scope=scope,
        requested_scope=parameters["scope"],
        left_out=names_left_out(parameters["scope"], scope),
        aud=request.base,
        fhir_version=request.fhir_version,
        needs_patient=_is_about_a_record(scope),
        needs_encounter=has_scope(scope, "launch/encounter"),
        launch=request.get("launch") if has_scope(scope, "launch") else "",
        openid=client.openid,
        subject=hinted_subject,
        **{name: request.get(name) for name in _KEPT},
    )


def rule_outcomes(
    parameters: Parameters, client: ClientPolicy | None, bases: Mapping[str, str]
) -> tuple[RuleOutcome, ...]:
    """Every rule in order with what became of it, for the developers' page (AZ-25)."""
    request = UnvalidatedRequest(parameters, client or ClientPolicy(), bases)
    outcomes: list[RuleOutcome] = []
    refused = False
    for rule in (*REDIRECTION_RULES, *RULES):
        outcome = RuleOutcome(rule.rule, rule.sentence, State.NOT_REACHED) if refused else _outcome(rule, request)
        refused = refused or outcome.state is State.REFUSED
        outcomes.append(outcome)
    return tuple(outcomes)


def _is_about_a_record(scope: str) -> bool:
    return any(part.context == "patient" or part.short_name in PICKER_SCOPES for part in parse_scopes(scope))


def _outcome(rule: Rule, request: UnvalidatedRequest) -> RuleOutcome:
    try:
        rule.require(request)
    except (OAuthError, Unredirectable) as error:
        why = error.explanation
        texts = (why.what, why.presented, why.expected)
        return RuleOutcome(rule.rule, rule.sentence, State.REFUSED, *texts, case=why.case)
    return RuleOutcome(rule.rule, rule.sentence, State.PASSED)
