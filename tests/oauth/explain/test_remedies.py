"""What to do next: each cause has an advice of its own, and no cause that of another one."""

import pytest

from oauth.explain.judgement import Conclusion, Judgement
from oauth.explain.remedies import remedies
from oauth.explain.request_judgement import ADDRESS, EVERY
from smart.explanation import Explanation
from smart.tokens.liveness import RULES

# of a request with a live token; the address from which it comes is not known to a judgement
REFUSING = {rule for rule, _ in EVERY} - {ADDRESS[0]} | {"TV-03", "TV-22", "PC-20"}


def advice(conclusion: Conclusion, rule: str = "") -> tuple[str, ...]:
    return remedies(Judgement(conclusion=conclusion, explanation=Explanation(rule, "refused") if rule else None))


def test_every_rule_by_which_a_request_is_refused_has_its_own() -> None:
    told = [advice(Conclusion.REQUEST_REFUSED, rule) for rule in REFUSING]

    assert all(told)
    assert len(set(told)) == len(REFUSING)


@pytest.mark.parametrize("rule", [rule.rule for rule in RULES.values()])
def test_every_rule_by_which_a_token_dies_has_one(rule: str) -> None:
    assert advice(Conclusion.DEAD, rule)


@pytest.mark.parametrize("rule", ["SD-26", "SY-01", "TV-05"])
def test_a_rule_without_one_borrows_none(rule: str) -> None:
    assert advice(Conclusion.REQUEST_REFUSED, rule) == advice(Conclusion.DEAD, rule) == ()


def test_what_is_alive_needs_none_and_what_is_no_token_of_ours_has_one() -> None:
    assert {conclusion for conclusion in Conclusion if not advice(conclusion)} == {
        Conclusion.ALIVE, Conclusion.REQUEST_REFUSED, Conclusion.DEAD
    }  # fmt: skip
