"""Why something was refused, as one line and as what an answer carries."""

from types import SimpleNamespace

import pytest

from smart.explanation import LONGEST_LINE, Explanation, explain_response, explanation_of, shown_text
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


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "..."),
        ("a\r\nb\u202ec", "a??b?c"),
        ("https://amy:pw@app.example/cb?a=b@c", "https://...@app.example/cb?a=b@c"),
        (
            "https://amy@app.example/ and https://ben@app.example/",
            "https://...@app.example/ and https://...@app.example/",
        ),
        ("amy@app.example", "amy@app.example"),
    ],
    ids=["as long as may be", "longer", "unsafe characters", "a password", "two", "no URL"],
)
def test_what_was_sent_is_shown_short_and_harmless(sent: str, shown: str) -> None:
    assert shown_text(sent) == shown
