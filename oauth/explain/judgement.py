"""A token, and a request that it would be sent with, judged rule by rule. Nothing is sent and nothing changes by it.

The rules are those of introspection and of the FHIR server; a changed token ends nothing here (SD-07).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.conf import settings

from oauth.ending.first_cause import first_cause, liveness_outcomes, token_with_cause
from oauth.explain.forgery import forgery
from oauth.explain.request_judgement import RequestJudgement, judge_request
from oauth.models import Code
from oauth.tokens import id_token, refresh_rows
from oauth.tokens.tamper_evidence import tamper_evidence
from smart.digests import sha256_hex
from smart.explanation import Explanation, RuleOutcome, State, shown_text
from smart.http.bearer import is_bearer_token
from smart.tokens import tampering
from smart.tokens.liveness import ISSUED, RULES
from smart.tokens.unlike_issued import unlike_header

NEVER_SHOWN = ("jti",)
OWN_MEMBERS = ("active", "token_type", "__patients", "fhirUser")  # of the introspection answer, not of the token
WITH_EVIDENCE = "It came back changed. A FHIR server that asked about it would end the real one: "
WITHOUT_EVIDENCE = "It names the identifier of one of ours, and nothing shows that its sender held that"


class Conclusion(StrEnum):
    """What a judgement comes to."""

    ALIVE = "alive"
    REQUEST_REFUSED = "request refused"
    DEAD = "dead"
    CHANGED = "changed"
    NOT_OURS = "not ours"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Difference:
    """A claim that a changed token says otherwise; "" for one that it, or the real one, does not have."""

    name: str
    shown: str
    issued: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The conclusion and what led to it. `token` is the row of ours, also of one that came back changed; `explanation`
    what ended it first, or why the request is refused; `issuer` what a token of somebody else says of itself.
    """

    conclusion: Conclusion
    explanation: Explanation | None = None
    outcomes: tuple[RuleOutcome, ...] = ()
    token: Any = None
    issuer: str = ""
    differences: tuple[Difference, ...] = ()
    status: int = 0
    challenge: str = ""
    facts: tuple[tuple[str, str], ...] = ()


def judge_token(token: str, request: str = "", *, now: int) -> Judgement:
    """The judgement of a pasted token, and of a request such as GET /fhir/r4/Patient/amy with it.

    Raises UnreadableRequest.
    """
    text = token.strip()
    row = token_with_cause(now=now, digest=sha256_hex(text))
    if row is None:
        judgement = _judge_other_text(text, now)
        return _with_request(judgement, judge_request(request, None, now=now)) if request else judgement
    judgement = judge_row(row, now=now)
    return _with_request(judgement, judge_request(request, row, now=now)) if request else judgement


def judge_row(token: Any, *, now: int) -> Judgement:
    """The judgement of a row as token_with_cause reads it."""
    cause = first_cause(token)
    conclusion = Conclusion.DEAD if cause else Conclusion.ALIVE
    return Judgement(conclusion=conclusion, explanation=cause, outcomes=liveness_outcomes(token, now=now), token=token)


def _with_request(judgement: Judgement, asked: RequestJudgement) -> Judgement:
    """The judgement of the token goes first: a dead one lets nothing in."""
    answered: dict[str, Any] = {"status": asked.status, "challenge": asked.challenge, "facts": asked.facts}
    every = (*judgement.outcomes, *asked.outcomes)
    if judgement.conclusion is Conclusion.ALIVE and asked.explanation is not None:
        conclusion = Conclusion.REQUEST_REFUSED
        return replace(judgement, conclusion=conclusion, explanation=asked.explanation, outcomes=every, **answered)
    return replace(judgement, outcomes=every, **answered)


def _judge_other_text(text: str, now: int) -> Judgement:
    """What is none of our access tokens: changed, somebody else's, another thing of ours, or nothing at all."""
    parts = tampering.parts(text)
    jti = tampering.jti(parts)
    original = token_with_cause(now=now, jti=jti) if jti else None
    if original is not None:
        return _judge_changed_token(original, parts, now)
    if id_token.parse_hint(text):
        return _judge_unknown(
            Conclusion.NEITHER, Explanation("ID-07", "It is an ID token of ours, which opens no records")
        )
    if refresh_rows.is_refresh_token(text):
        what = "It is a refresh token of ours, which opens no records"
        return _judge_unknown(Conclusion.NEITHER, Explanation("IN-08", what))
    if Code.objects.filter(digest=sha256_hex(text)).exists():
        what = "It is an authorization code of ours, which opens no records"
        return _judge_unknown(Conclusion.NEITHER, Explanation("AZ-17", what))
    claims = _payload(parts)
    if claims is None:
        return _judge_no_jwt(text)
    return _judge_unknown_jwt(shown_text(str(claims.get("iss", ""))), parts, now)


def _judge_no_jwt(text: str) -> Judgement:
    """What says nothing of itself: an opaque token of somebody, or no token at all."""
    is_opaque = is_bearer_token(text)
    what = "We issued no such token, and it says nothing of itself" if is_opaque else "That is no token"
    return _judge_unknown(Conclusion.NOT_OURS if is_opaque else Conclusion.NEITHER, Explanation(ISSUED.rule, what))


def _judge_unknown_jwt(issuer: str, parts: tuple[str, ...], now: int) -> Judgement:
    """A JWT that is not known here: one of another issuer, or one that only says that it is ours."""
    if issuer == settings.SMARTAUTH_ISSUER:
        what, presented = forgery(parts, now=now)
    else:
        what, presented = ISSUED.broken, f"iss {issuer}" if issuer else "no iss"
    why = Explanation(ISSUED.rule, what, presented=presented)
    return replace(_judge_unknown(Conclusion.NOT_OURS, why), issuer=issuer)


def _judge_changed_token(original: Any, parts: tuple[str, ...], now: int) -> Judgement:
    digests = {"signed_digest": original.signed_digest, "signature_digest": original.signature_digest}
    evidence = tamper_evidence(parts, **digests, now=now)
    found = _differences(_issued_claims(original), _payload(parts) or {})
    explanation = Explanation(
        "SD-07",
        f"{WITH_EVIDENCE}{evidence}" if evidence else WITHOUT_EVIDENCE,
        presented=", ".join(f"{one.name} {one.shown or 'left out'}" for one in found) or _presented_signature(parts),
        expected=", ".join(f"{one.name} {one.issued or 'left out'}" for one in found) or "our header and signature",
    )
    return replace(_judge_unknown(Conclusion.CHANGED, explanation), token=original, differences=found)


def _presented_signature(parts: tuple[str, ...]) -> str:
    """What came where the claims are those that we issued."""
    unlike = unlike_header(tampering.header(parts))
    return ", ".join(
        ["the claims that we issued", *unlike, f"a signature of {tampering.signature_length(parts)} bytes"]
    )


def _judge_unknown(conclusion: Conclusion, explanation: Explanation) -> Judgement:
    """What is no token that we issued: the first rule refused, so that no other was reached."""
    first = RuleOutcome(
        ISSUED.rule, ISSUED.sentence, State.REFUSED, explanation.what, explanation.presented, explanation.expected
    )
    rest = (RuleOutcome(rule.rule, rule.sentence, State.NOT_REACHED) for rule in RULES.values())
    return Judgement(conclusion=conclusion, explanation=explanation, outcomes=(first, *rest))


def _issued_claims(token: Any) -> Mapping[str, Any]:
    """The claims of the token as we issued it; of its header and signature only digests are kept."""
    kept = {**json.loads(token.claims), "scope": token.scope}
    return {name: value for name, value in kept.items() if name not in OWN_MEMBERS}


def _payload(parts: tuple[str, ...]) -> Mapping[str, Any] | None:
    found = tampering.payload(parts)
    return found if isinstance(found, dict) else None


def _differences(issued: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[Difference, ...]:
    names = [name for name in dict.fromkeys([*issued, *shown]) if name not in NEVER_SHOWN]
    return tuple(
        Difference(shown_text(name), _text(shown, name), _text(issued, name))
        for name in names
        if _text(shown, name) != _text(issued, name)
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    return shown_text(json.dumps(claims[name])) if name in claims else ""
