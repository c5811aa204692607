"""Refusals that a client may read: what of one goes on the wire, and what only developers and operators see."""

import pytest

from smart.http.errors import InvalidRequest, TooManyRequests, safe_description


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('say "no" \\ yes', "say 'no' / yes"),
        (" ~", " ~"),
        ("a\x1fb\x7fcé\n", "a?b?c??"),
        ("", ""),
    ],
)
def test_a_description_has_only_the_characters_that_it_may_have(text: str, said: str) -> None:
    assert safe_description(text) == said
    assert InvalidRequest(text).description == said


def test_the_trail_may_hear_more_than_the_client() -> None:
    refusal = InvalidRequest("no", event_reason="the secret is wrong", rule="CL-01", case="E47", presented="x")

    assert (refusal.description, refusal.event_reason, str(refusal)) == ("no", *["the secret is wrong"] * 2)
    assert refusal.why == {"rule": "CL-01", "case": "E47", "presented": "x"}
    assert (refusal.explanation.what, refusal.explanation.rule) == ("the secret is wrong", "CL-01")


def test_what_has_no_reason_of_its_own_is_explained_by_its_words_or_its_code() -> None:
    assert (str(InvalidRequest("no")), InvalidRequest("no").explanation.what) == ("no", "no")
    assert (str(InvalidRequest()), InvalidRequest().explanation.what) == ("invalid_request", "invalid_request")
    assert InvalidRequest("no").explanation.rule == ""


def test_who_fails_too_often_hears_when_to_come_back() -> None:
    refusal = TooManyRequests("later", retry_after=30, event_reason="ten failures", rule="SD-01")

    assert (refusal.retry_after, refusal.description, refusal.event_reason) == (30, "later", "ten failures")
    assert refusal.explanation.rule == "SD-01"
    assert (TooManyRequests(retry_after=1).description, TooManyRequests(retry_after=1).event_reason) == ("", "")
