"""Every refusal of the authorization endpoint, read again from its event: the rule, those before it, what to do."""

import secrets
from dataclasses import replace

import pytest

from accounts import clock
from audit.models import SecurityEvent
from oauth.ending.first_cause import token_with_cause
from oauth.explain.judgement import judge_row
from oauth.explain.reference_answer import authorize_outcomes, reference_answer
from oauth.explain.references import FoundRefusal, find_refusal
from oauth.models import public_reference
from smart.authorize.error_pages import ERROR_PAGES, Unredirectable
from smart.authorize.redirection_rules import REDIRECTION_RULES
from smart.authorize.rules import RULES
from smart.digests import sha256_hex
from smart.explanation import Explanation, State
from tests.fixture_types import Issue

pytestmark = pytest.mark.one_engine

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

    assert refusal.message() in answer.response_in_words
    assert answer.advice == ((refusal.fix,) if refusal.fix else ())
    assert answer.tags[0].text == f"{refusal.rule} {case}"


@pytest.mark.requirement("AZ-25")
def test_a_token_that_has_the_number_of_the_refused_request_is_among_its_facts(issue: Issue) -> None:
    row = token_with_cause(now=clock.now(), digest=sha256_hex(issue()["access_token"]))
    refusal = FoundRefusal(Explanation("AZ-20", "it waited too long"), token=judge_row(row, now=clock.now()))

    (fact,) = reference_answer(refusal, row.pk).facts

    assert (fact.label, fact.text) == ("Token of this number", "alive")
    assert (fact.table, fact.key) == ("oauth_accesstoken", row.pk)


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize("number", ["", ", 1000 so far"])
@pytest.mark.parametrize("what", ["state is missing", "a; b: c, d", "E1: nested", "x; sent y"])
@pytest.mark.parametrize(
    "explanation",
    [
        Explanation("AZ-05", "", "https://evil.example/cb", case="E4"),
        Explanation("SCP-06", "", "launch/patient, patient/*.rs"),
        Explanation("AZ-03", "", case="E3"),
    ],
)
def test_an_event_is_read_as_it_was_written(explanation: Explanation, what: str, number: str, committed: None) -> None:
    event = SecurityEvent(
        kind="authorize-refused", at=7, reference=public_reference(secrets.randbits(40)), reason=f"{what}{number}",
        rule=explanation.rule, case=explanation.case, presented=explanation.presented,
    )  # fmt: skip
    event.save()

    assert found_under(event) == replace(explanation, what=what, since=7, reference=event.reference)


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("kind", "reason", "expected"),
    [
        (
            "authorize-refused", "AZ-05 E4: a; b: c; sent https://evil.example/cb, 1000 so far",
            Explanation("AZ-05", "a; b: c", "https://evil.example/cb", case="E4"),
        ),
        ("authorize-refused", "SCP-06: E1: nested", Explanation("SCP-06", "E1: nested")),
        ("choice-tampered", "patient ben", Explanation("AZ-20", "patient ben", case="E30")),
        ("authorize-refused", "other words", Explanation("", "other words")),
    ],
)  # fmt: skip
def test_an_event_of_an_earlier_version_reads_as_well(
    kind: str, reason: str, expected: Explanation, committed: None
) -> None:
    reference = public_reference(secrets.randbits(40))
    event = SecurityEvent.objects.create(kind=kind, at=7, reference=reference, reason=reason)

    assert found_under(event) == replace(expected, since=7, reference=reference)


def found_under(event: SecurityEvent) -> Explanation:
    found = find_refusal(event.reference)
    assert found
    return found.explanation
