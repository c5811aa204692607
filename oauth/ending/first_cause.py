"""Why a token of ours is dead: the first cause with its moment, and which other rules it breaks by now (LV-01).

The operators' page, `/explain`, the command and the answers of introspection in development all read it here.
"""

from typing import Any

from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import reason
from oauth.models import AccessToken, liveness
from smart.explanation import Explanation, RuleOutcome, State
from smart.time_units import to_datetime
from smart.tokens.liveness import ISSUED, RULES, Dead, LivenessRule


def token_with_cause(*, now: int, **named: Any) -> Any:
    """The token that is named so, with what ended it first; None where there is none."""
    found = AccessToken.objects.select_related(*liveness.TOKEN_FACTS, "authorization__user").filter(**named)
    return with_first_reason(found, now=now).first()


def first_cause(token: Any) -> Explanation | None:
    """Why that token is dead, by what ended it first; None while it lives."""
    if not token.first_reason:
        return None
    broken = first_rule(token)
    presented, expected = _presented_and_expected(token, broken)
    what = reason(token.first_reason).operator.removesuffix(".")
    return Explanation(RULES[broken].rule, what, presented, expected, token.died_at, case="E107")


def liveness_outcomes(token: Any, *, now: int) -> tuple[RuleOutcome, ...]:
    """Every rule that a live token keeps, in the order in which they are asked."""
    cause, broken = first_cause(token), set(liveness.dead_reasons(token, now=now))
    first = first_rule(token) if cause else None
    issued = RuleOutcome(ISSUED.rule, ISSUED.sentence, State.PASSED)
    return (issued, *(_outcome(dead, rule, token, cause, first, broken) for dead, rule in RULES.items()))


def _outcome(
    dead: Dead, rule: LivenessRule, token: Any, cause: Explanation | None, first: Dead | None, broken: set[Dead]
) -> RuleOutcome:
    if cause is not None and dead is first:
        texts = (cause.what, cause.presented, cause.expected)
        return RuleOutcome(rule.rule, rule.sentence, State.REFUSED, *texts, since=cause.since, case=cause.case)
    if dead in broken:
        presented, expected = _presented_and_expected(token, dead)
        since = token.expires_at if dead is Dead.EXPIRED else 0
        return RuleOutcome(rule.rule, rule.sentence, State.ALSO_TRUE, rule.broken, presented, expected, since)
    passed = first is None or list(Dead).index(dead) < list(Dead).index(first)
    return RuleOutcome(rule.rule, rule.sentence, State.PASSED if passed else State.NOT_REACHED)


def first_rule(token: Any) -> Dead:
    """The rule that a dead token broke first."""
    if token.first_reason in set(Dead) - {Dead.REVOKED}:
        return Dead(token.first_reason)
    return Dead.REVOKED if token.revoked_at and token.revoked_at == token.died_at else Dead.ENDED


def _presented_and_expected(token: Any, broken: Dead) -> tuple[str, str]:
    """What was presented, and what was expected, where numbers or times tell it."""
    if broken is Dead.SUPERSEDED and token.seat is not None:
        keep = token.authorization.client.tokens_to_keep
        newest = f"one of the newest {keep}" if keep > 1 else "the newest one"
        return f"token {token.seat_number} of its seat", f"{newest}: token {token.seat.latest_number}"
    if broken is Dead.EXPIRED:
        return "", f"used before {to_datetime(token.expires_at):%H:%M:%S} UTC"
    return "", ""
