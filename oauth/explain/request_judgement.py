"""Whether a FHIR server lets a request with this token in, as far as that follows from claims and rules alone.

What depends on the record, on where the request comes from, or on what the person is, is said to be unknown here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from oauth.models import FhirServer
from smart.decisions import refusals
from smart.decisions.decide import decide
from smart.decisions.decision import DenialReason
from smart.decisions.fhir_request import FhirRequest, parse_fhir_request
from smart.decisions.interactions import LETTERS
from smart.decisions.question import ANY_ID
from smart.decisions.refusals import Refusal
from smart.decisions.subject import InvalidClaims, Subject, read_subject
from smart.decisions.view import Reach, View, is_unconditional, is_visible
from smart.explanation import Explanation, RuleOutcome, State, build_explanation, shown_text
from smart.fhir.definitions import ResourceDefinition, definitions
from smart.scopes.scope import WRITING
from smart.scopes.scope_sets import scopes_allowing
from smart.time_units import SECOND

AUDIENCE = ("TV-07", "It is for this FHIR server")
ADDRESS = ("TV-25", "It comes from the address of the first use: not known here")
SERVED = ("SCP-08", "The FHIR version has this type, and FHIR this interaction")
SCOPE = ("TV-20", "A scope covers the kind of data and what is done with it")
PARAMETERS = ("SR-08", "No parameter brings a token, or looks at records beyond those that the token reaches")
ROLE = ("US-03", "The person may write this at the FHIR server, by what they are: not known here")
RECORD = ("PC-02", "The record is of a person the token reaches")
UNKNOWN_RECORD = ("PC-03", "The record is of a person the token reaches: not known without the record")
FILTERED = ("PC-04", "Each entry of the answer is of a person the token reaches: the FHIR server filters")
EVERYBODY = ("SY-01", "A backend service reaches the records of everybody")
# why a request is refused before its record is looked at, in the order in which that is decided
STAGES = {
    DenialReason.UNKNOWN_INTERACTION: SERVED,
    DenialReason.INSUFFICIENT_SCOPE: SCOPE,
    DenialReason.PARAMETER_REFUSED: PARAMETERS,
}
EVERY = (AUDIENCE, ADDRESS, SERVED, SCOPE, PARAMETERS, RECORD)


@dataclass(frozen=True, slots=True)
class RequestJudgement:
    """What the FHIR server answers, rule by rule; `explanation` is why it refuses, None where it refuses nothing."""

    status: int
    facts: tuple[tuple[str, str], ...]
    outcomes: tuple[RuleOutcome, ...]
    explanation: Explanation | None = None
    challenge: str = ""


class _Refused(Exception):
    def __init__(self, answer: Refusal, rule: tuple[str, str], explanation: Explanation) -> None:
        super().__init__(explanation.what)
        self.answer, self.rule, self.explanation = answer, rule, explanation


def judge_request(text: str, token: Any, *, now: int) -> RequestJudgement:
    """The request with that row of ours, None for a token that is none. Raises UnreadableRequest."""
    asked = parse_fhir_request(text, _bases(token))
    facts = (("What", asked.sentence), ("Where", asked.base), ("About", _about(asked)))
    if asked.is_public:
        return RequestJudgement(HTTPStatus.OK, facts, (_outcome(("TV-24", "This is public"), State.PASSED),))
    if token is None or token.first_reason:
        challenge = _challenge(refusals.INVALID_TOKEN, asked.base)
        return RequestJudgement(HTTPStatus.UNAUTHORIZED, facts, _not_reached(EVERY), challenge=challenge)
    passed: list[RuleOutcome] = []
    try:
        for outcome in _judge(asked, json.loads(token.claims), now):
            passed.append(outcome)
    except _Refused as refused:
        return _refusal(asked, facts, tuple(passed), refused)
    return RequestJudgement(HTTPStatus.OK, facts, tuple(passed))


def _judge(asked: FhirRequest, claims: dict[str, Any], now: int) -> Iterator[RuleOutcome]:
    """Each rule that passed. Raises _Refused at the first that does not."""
    try:
        subject = read_subject(claims, asked.base, now / SECOND)
    except InvalidClaims as error:
        why = build_explanation("", error.why)
        if why.rule == AUDIENCE[0] and "aud" not in claims:
            why = replace(why, presented="no aud")
        raise _Refused(refusals.INVALID_TOKEN, AUDIENCE, why) from None
    yield _outcome(AUDIENCE, State.PASSED)
    yield _outcome(ADDRESS, State.NOT_REACHED)
    version = FhirServer.objects.values_list("version", flat=True).get(base=asked.base)
    name, reach = asked.question.type, Reach(subject, version, asked.base)
    decision = decide(reach, asked.question, applies_views=True, spans_types=True)
    for reason, rule in STAGES.items():
        if decision.denial is not None and decision.denial.reason is reason:
            raise _Refused(decision.denial.refusal, rule, build_explanation("", decision.denial.why))
        yield _outcome(rule, State.PASSED)
    if _is_for_writers(asked, subject):
        yield _outcome(ROLE, State.NOT_REACHED)
    if asked.question.is_of_several_types:
        yield _outcome(FILTERED, State.PASSED)
    else:
        yield _record(asked, subject, decision.views[name], definitions(version).get(name))


def _is_for_writers(asked: FhirRequest, subject: Subject) -> bool:
    """Whether a `user/` scope lets it write: by that a FHIR server may let some people write and others not."""
    letter = LETTERS.get(asked.question.interaction, "")
    return letter in WRITING and bool(scopes_allowing(subject.scopes, "user", asked.question.type, letter))


def _record(asked: FhirRequest, subject: Subject, view: View, defined: ResourceDefinition | None) -> RuleOutcome:
    """Known for a Patient by its id; of every other record its FHIR server must look (PC-01 to PC-04)."""
    name, named = asked.question.type, asked.question.id
    if is_unconditional(view):
        return _outcome(EVERYBODY, State.PASSED)
    if named == ANY_ID:
        return _outcome(FILTERED, State.PASSED)
    if name != "Patient" or defined is None:
        return _outcome(UNKNOWN_RECORD, State.NOT_REACHED)
    if is_visible({"resourceType": name, "id": named}, view, defined, asked.base):
        return _outcome(RECORD, State.PASSED)
    what = "the token does not reach this patient; the answer is the same as for one that never existed"
    reached = sorted({subject.patient, *subject.patients} - {""})[:5]
    raise _Refused(refusals.NOT_FOUND, RECORD, Explanation("PC-02", what, named, ", ".join(reached) or "nobody"))


def _refusal(
    asked: FhirRequest, facts: tuple[tuple[str, str], ...], passed: tuple[RuleOutcome, ...], refused: _Refused
) -> RequestJudgement:
    why, later = refused.explanation, EVERY[EVERY.index(refused.rule) + 1 :]
    outcome = RuleOutcome(why.rule, refused.rule[1], State.REFUSED, why.what, why.presented, why.expected)
    challenge = _challenge(refused.answer, asked.base)
    return RequestJudgement(refused.answer.status, facts, (*passed, outcome, *_not_reached(later)), why, challenge)


def _bases(token: Any) -> list[str]:
    """Those of this server, that of the token first."""
    own = [token.authorization.fhir_server.base] if token is not None else []
    known = FhirServer.objects.exclude(base="").order_by("pk").values_list("base", flat=True)
    return [*own, *(base for base in known if base not in own)]


def _about(asked: FhirRequest) -> str:
    named = asked.question.id
    return shown_text(asked.query) or ("all that the token reaches" if named == ANY_ID else named)


def _challenge(answer: Refusal, base: str) -> str:
    return answer.headers(base).get("WWW-Authenticate", "")


def _outcome(rule: tuple[str, str], state: State) -> RuleOutcome:
    return RuleOutcome(*rule, state)


def _not_reached(rules: tuple[tuple[str, str], ...]) -> tuple[RuleOutcome, ...]:
    return tuple(_outcome(rule, State.NOT_REACHED) for rule in rules)
