"""Whether a FHIR server lets a request with this token in, as far as that follows from claims and rules alone.

What depends on the record, or on where the request comes from, is said to be unknown here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from smart.decisions.permissions import OutOfScope, Permissions, permissions_of

from oauth.models import FhirServer
from smart.decisions.caller import Caller, InvalidClaims, read_caller
from smart.decisions.fhir_request import FhirRequest, parse_fhir_request
from smart.explanation import Explanation, RuleOutcome, State, explain
from smart.fhir.definitions import definitions
from smart.fhir.versions import resource_types
from smart.http.bearer import bearer_challenge
from smart.time_units import SECOND

AUDIENCE = ("TV-07", "It is for this FHIR server")
ADDRESS = ("TV-25", "It comes from the address of the first use: not known here")
SERVED = ("SCP-08", "The FHIR version has this type, and FHIR this interaction")
SCOPE = ("TV-20", "A scope covers the kind of data and what is done with it")
RECORD = ("PC-02", "The record is of somebody whom the token reaches")
UNKNOWN_RECORD = ("PC-03", "The record is of somebody whom the token reaches: not known without the record")
FILTERED = ("PC-04", "Each entry of the answer is of somebody whom the token reaches: filtered by the FHIR server")
EVERY = (AUDIENCE, ADDRESS, SERVED, SCOPE, RECORD)


@dataclass(frozen=True, slots=True)
class RequestJudgement:
    """What the FHIR server answers, rule by rule; `explanation` is why it refuses, None where it refuses nothing."""

    status: int
    facts: tuple[tuple[str, str], ...]
    outcomes: tuple[RuleOutcome, ...]
    explanation: Explanation | None = None
    challenge: str = ""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, rule: tuple[str, str], explanation: Explanation) -> None:
        super().__init__(explanation.what)
        self.status, self.rule, self.explanation = status, rule, explanation


def judge_request(text: str, token: Any, *, now: int) -> RequestJudgement:
    """The request with that row of ours, None for a token that is none. Raises UnreadableRequest."""
    asked = parse_fhir_request(text, _bases(token))
    facts = (("What", asked.sentence), ("Where", asked.base), ("About", _about(asked)))
    if asked.interaction == "capabilities":
        return RequestJudgement(HTTPStatus.OK, facts, (_outcome(("TV-24", "This is public"), State.PASSED),))
    if token is None or token.first_reason:
        return RequestJudgement(
            HTTPStatus.UNAUTHORIZED, facts, _not_reached(EVERY), challenge=_challenge(asked.base, "invalid_token")
        )
    passed: list[RuleOutcome] = []
    try:
        for outcome in _judge(asked, json.loads(token.claims), now):
            passed.append(outcome)  # what passed before a refusal is kept
    except _Refused as refusal:
        return _refusal(asked, facts, tuple(passed), refusal)
    return RequestJudgement(HTTPStatus.OK, facts, tuple(passed))


def _judge(asked: FhirRequest, claims: dict[str, Any], now: int) -> Iterator[RuleOutcome]:
    """Each rule that passed. Raises _Refused at the first that does not."""
    try:
        caller = read_caller(claims, asked.base, now / SECOND)
    except InvalidClaims as error:
        raise _Refused(HTTPStatus.UNAUTHORIZED, AUDIENCE, explain("", error.why)) from None
    yield _outcome(AUDIENCE, State.PASSED)
    yield _outcome(ADDRESS, State.NOT_REACHED)
    version = FhirServer.objects.values_list("version", flat=True).get(base=asked.base)
    if not asked.letter or asked.type not in resource_types(version):
        what = f"there is no {asked.method} of that path in {version}"
        raise _Refused(HTTPStatus.NOT_FOUND, SERVED, Explanation(SERVED[0], what, presented=asked.type))
    yield _outcome(SERVED, State.PASSED)
    try:
        found = permissions_of(caller, asked.type, asked.letter, definitions(version).get(asked.type), asked.base)
    except OutOfScope as error:
        raise _Refused(HTTPStatus.FORBIDDEN, SCOPE, explain("", error.why)) from None
    yield _outcome(SCOPE, State.PASSED)
    yield _record(asked, caller, found)


def _record(asked: FhirRequest, caller: Caller, found: Permissions) -> RuleOutcome:
    """Known for a Patient by its id; of every other record its FHIR server must look (PC-01 to PC-04)."""
    if any(permission.patients is None and not permission.alternatives for permission in found):
        return _outcome(("SY-01", "A backend service reaches the records of everybody"), State.PASSED)
    if not asked.id:
        return _outcome(FILTERED, State.PASSED)
    if asked.type != "Patient":
        return _outcome(UNKNOWN_RECORD, State.NOT_REACHED)
    reached = {name for permission in found for name in permission.patients or ()}
    own = {("Patient", name) for name in reached} | {permission.own_record for permission in found}
    if (asked.type, asked.id) in own:
        return _outcome(RECORD, State.PASSED)
    what = "the token does not reach this patient; the answer is the same as for one that never existed"
    expected = ", ".join(sorted(reached)[:5]) or "nobody"
    raise _Refused(HTTPStatus.NOT_FOUND, RECORD, Explanation("PC-02", what, asked.id, expected))


def _refusal(
    asked: FhirRequest, facts: tuple[tuple[str, str], ...], passed: tuple[RuleOutcome, ...], refusal: _Refused
) -> RequestJudgement:
    why, later = refusal.explanation, EVERY[EVERY.index(refusal.rule) + 1 :]
    refused = RuleOutcome(why.rule, refusal.rule[1], State.REFUSED, why.what, why.presented, why.expected)
    error = {HTTPStatus.UNAUTHORIZED: "invalid_token", HTTPStatus.FORBIDDEN: "insufficient_scope"}.get(refusal.status)
    challenge = _challenge(asked.base, error) if error else ""
    every = (*passed, refused, *_not_reached(later))
    return RequestJudgement(refusal.status, facts, every, why, challenge)


def _bases(token: Any) -> list[str]:
    """Those of this server, that of the token first."""
    own = [token.authorization.fhir_server.base] if token is not None else []
    known = FhirServer.objects.exclude(base="").order_by("pk").values_list("base", flat=True)
    return [*own, *(base for base in known if base not in own)]


def _about(asked: FhirRequest) -> str:
    return "&".join(f"{name}={value}" for name, value in asked.query) or asked.id or "all that the token reaches"


def _challenge(base: str, error: str) -> str:
    return bearer_challenge(base, error=error)


def _outcome(rule: tuple[str, str], state: State) -> RuleOutcome:
    return RuleOutcome(*rule, state)


def _not_reached(rules: tuple[tuple[str, str], ...]) -> tuple[RuleOutcome, ...]:
    return tuple(_outcome(rule, State.NOT_REACHED) for rule in rules)
