"""What to do next: each cause has an advice of its own, and no cause that of another one."""

import pytest

from oauth.explain.judgement import Judgement, Verdict
from oauth.explain.remedies import remedies
from oauth.explain.request_judgement import ADDRESS, EVERY
from smart.explanation import Explanation
from smart.tokens.liveness import RULES

# of a request with a live token; the address from which it comes is not known to a judgement
REFUSING = {rule for rule, _ in EVERY} - {ADDRESS[0]} | {"TV-03", "TV-22", "PC-20"}


def advice(verdict: Verdict, rule: str = "") -> tuple[str, ...]:
    return remedies(Judgement(verdict=verdict, explanation=Explanation(rule, "refused") if rule else None))


def test_every_rule_by_which_a_request_is_refused_has_its_own() -> None:
    told = [advice(Verdict.REQUEST_REFUSED, rule) for rule in REFUSING]

    assert all(told)
    assert len(set(told)) == len(REFUSING)


@pytest.mark.parametrize("rule", [rule.rule for rule in RULES.values()])
def test_every_rule_by_which_a_token_dies_has_one(rule: str) -> None:
    assert advice(Verdict.DEAD, rule)


@pytest.mark.parametrize("rule", ["SD-26", "SY-01", "TV-05"])
def test_a_rule_without_one_borrows_none(rule: str) -> None:
    assert advice(Verdict.REQUEST_REFUSED, rule) == advice(Verdict.DEAD, rule) == ()


def test_what_is_alive_needs_none_and_what_is_no_token_of_ours_has_one() -> None:
    assert {verdict for verdict in Verdict if not advice(verdict)} == {
        Verdict.ALIVE, Verdict.REQUEST_REFUSED, Verdict.DEAD
    }  # fmt: skip
