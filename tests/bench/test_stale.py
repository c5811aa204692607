"""`bench/run --stale` sees a token that is called active too late, and one that is called inactive too soon."""

import pytest

from bench.stale import Record, Token

pytestmark = pytest.mark.one_engine
ISSUED = Token("live")
ENDING = Token("ending", is_ending=True)
ENDED = Token("ended", is_ending=True, dead_since=10.0)


@pytest.mark.parametrize(
    ("token", "active", "asked_at", "problem"),
    [
        (ISSUED, True, 11.0, ""),
        (ISSUED, False, 11.0, "inactive although nobody had revoked it"),
        (ENDING, True, 11.0, ""),
        (ENDING, False, 11.0, ""),
        (ENDED, True, 9.9, ""),
        (ENDED, False, 11.0, ""),
        (ENDED, True, 10.5, "active, asked 500.0 ms after its revocation was acknowledged"),
    ],
)
def test_an_answer_is_compared_with_what_was_certain_when_it_was_asked_for(
    token: Token, active: bool, asked_at: float, problem: str
) -> None:
    record = Record()

    record.heard(token, active=active, asked_at=asked_at, who="a test")

    assert [wrong.startswith(problem) for wrong in record.wrong] == [True] * bool(problem)
