"""What tells a hidden record apart from an unknown id, beside status and names of headers."""

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Danger, Outcome
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.runner import make
from smartauth_probe.target.answer import Answer
from tests.smartauth_probe.checks.test_every_check import probe_of

pytestmark = pytest.mark.one_engine
(OTHER_PATIENT,) = (check for check in all_checks() if check.name == "other-patient")


def refusal(key: str, said: str) -> Answer:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "not-found", "diagnostics": said}]}
    return Answer(404, resource=outcome, asked=f"Patient/{key}? ")


@pytest.mark.requirement("HI-01")
@pytest.mark.parametrize("fault", ["hidden-in-other-words", "hidden-with-another-value"])
def test_other_words_and_another_value_of_a_header_tell_that_a_record_exists(fault: str) -> None:
    made = make(probe_of(fault), OTHER_PATIENT)

    assert (made.result.outcome, made.result.danger) == (Outcome.FAILED, Danger.EXISTENCE)
    assert made.result.seen == "Patient B is told apart from an unknown id by what is said."


@pytest.mark.parametrize(
    ("hidden", "unknown", "outcome"),
    [
        ("Resource Patient/ben is not known", "Resource Patient/nobody is not known", Outcome.PASSED),
        ("ben? No.", "nobody? No.", Outcome.PASSED),
        ("No. (request 7f-1, 10:31)", "No. (request 81-c, 10:32)", Outcome.PASSED),
        ("Not for you.", "Not there.", Outcome.FAILED),
        ("bending", "nobodying", Outcome.FAILED),
    ],
)
def test_texts_are_compared_without_the_ids_and_what_changes_each_time(
    hidden: str, unknown: str, outcome: Outcome
) -> None:
    result = must_be_alike(refusal("ben", hidden), refusal("nobody", unknown), "Patient B")

    assert result.outcome is outcome
