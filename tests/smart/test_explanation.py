"""Why something was refused, as one line and as what an answer carries."""

from types import SimpleNamespace

import pytest

from smart.explanation import LONGEST_LINE, Explanation, explain_response, explanation_of
from smart.http.errors import InvalidRequest


@pytest.mark.requirement("AZ-25")
def test_a_line_names_rule_sentence_and_reference_in_ascii_without_breaks_and_ends() -> None:
    line = Explanation("TK-08", "scöpe\r\nwas sent twice " + "x" * 1000, reference="7F3K-29QD").line

    assert line.startswith("TK-08 sc?pe??was sent twice xxx")
    assert line.endswith("x (7F3K-29QD)")
    assert len(line) == LONGEST_LINE + len(" (7F3K-29QD)")


def test_an_error_explains_itself_by_what_it_was_raised_with() -> None:
    error = InvalidRequest("told to all", event_reason="told to operators", rule="TK-08", case="E49", presented="two")

    assert error.explanation == Explanation("TK-08", "told to operators", case="E49", presented="two")
    assert InvalidRequest("told to all").explanation == Explanation("", "told to all")


def test_an_answer_keeps_the_explanation_that_it_was_given() -> None:
    response, explanation = SimpleNamespace(), Explanation("TK-08", "sent twice")
    assert explanation_of(response) is None

    explain_response(response, explanation)

    assert explanation_of(response) is explanation
