"""Every refusal of the authorization endpoint, read again from its event: the rule, those before it, what to do."""

import pytest

from oauth.authorization.events import parse_refusal_reason, refusal_reason
from oauth.explain.reference_answer import authorize_outcomes, reference_answer
from oauth.explain.references import FoundRefusal
from smart.authorize.error_pages import ERROR_PAGES, Unredirectable
from smart.authorize.redirection_rules import REDIRECTION_RULES
from smart.authorize.rules import RULES
from smart.explanation import Explanation, State

ROWS = [(rule.rule, case) for rule in (*REDIRECTION_RULES, *RULES) for case in rule.cases.split()]


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(("rule", "case"), ROWS, ids=[f"{rule}-{case}-{at}" for at, (rule, case) in enumerate(ROWS)])
def test_each_rule_of_bad_input_is_named_after_those_that_passed(rule: str, case: str) -> None:
    outcomes = authorize_outcomes(Explanation(rule, "it was wrong", "this", "that", case=case))

    states = [outcome.state for outcome in outcomes]
    place = states.index(State.REFUSED)
    assert states == [State.PASSED] * place + [State.REFUSED] + [State.NOT_REACHED] * (len(states) - place - 1)
    assert (outcomes[place].rule, outcomes[place].case, outcomes[place].presented) == (rule, case, "this")


@pytest.mark.parametrize("case", sorted(ERROR_PAGES))
def test_each_page_says_what_was_shown_and_what_its_makers_should_fix(case: str) -> None:
    refusal = Unredirectable(case, "the request cannot be read")

    answer = reference_answer(FoundRefusal(refusal.explanation), 7)

    assert refusal.message() in answer.told
    assert answer.advice == ((refusal.fix,) if refusal.fix else ())
    assert answer.tags[0].text == f"{refusal.rule} {case}"


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize("sent", ["", "https://evil.example/cb", "launch/patient, patient/*.rs"])
@pytest.mark.parametrize("number", ["", ", 1000 so far"])
@pytest.mark.parametrize("what", ["state is missing", "a; b: c, d", "E1: nested"])
@pytest.mark.parametrize(("rule", "case"), [("AZ-05", "E4"), ("SCP-06", ""), ("", "")])
def test_an_event_is_read_as_it_was_written(rule: str, case: str, what: str, sent: str, number: str) -> None:
    written = refusal_reason(Explanation(rule, what, case=case), sent) + number

    assert parse_refusal_reason(written) == Explanation(rule, what, sent, case=case)


def test_another_text_is_no_refusal() -> None:
    assert parse_refusal_reason("access_denied") is None
