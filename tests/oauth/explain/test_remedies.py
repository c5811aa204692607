"""What to do next: each cause has an advice of its own, and no cause that of another one."""

import pytest

from oauth.explain.judgement import Conclusion, Judgement
from oauth.explain.remedies import caller_remedies, remedies
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


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("rule", "case", "word"),
    [
        ("TK-01", "E44", "POST"),
        ("CL-01", "E50", "by Basic"),
        ("CL-01", "E51", "client id"),
        ("CL-02", "E52", "new-secret"),
        ("CL-02", "E53", "base64"),
        ("CL-01", "E54", "one way"),
        ("CL-01", "E56", "method"),
        ("LV-04", "E57", "enable"),
        ("RG-08", "E57", "newer secret"),
        ("IN-07", "E107", "fhir-server list"),
        ("IN-08", "E107", "access token"),
        ("PR-06", "E107", "address"),
        ("LV-09", "E107", "the token of the last answer"),
    ],
)
def test_a_caller_who_is_refused_reads_what_to_do(rule: str, case: str, word: str) -> None:
    assert word in " ".join(caller_remedies(rule, case))


def test_a_rule_that_nobody_can_do_anything_about_is_told_without_a_step() -> None:
    assert caller_remedies("TK-08", "E49") == ()


@pytest.mark.parametrize("rule", ["SD-26", "SY-01", "TV-05"])
def test_a_rule_without_one_borrows_none(rule: str) -> None:
    assert advice(Conclusion.REQUEST_REFUSED, rule) == advice(Conclusion.DEAD, rule) == ()


def test_what_is_alive_needs_none_and_what_is_no_token_of_ours_has_one() -> None:
    assert {conclusion for conclusion in Conclusion if not advice(conclusion)} == {
        Conclusion.ALIVE, Conclusion.REQUEST_REFUSED, Conclusion.DEAD
    }  # fmt: skip
