"""A token of ours that is named by its number, as pages and events call it."""

from oauth.explain.first_cause import first_cause, outcomes, token_with_cause
from oauth.explain.judgement import Judgement, Verdict


def judge_number(number: int, *, now: int) -> Judgement | None:
    """The judgement of the token with that number, None where there is none."""
    row = token_with_cause(now=now, pk=number)
    if row is None:
        return None
    cause = first_cause(row)
    verdict = Verdict.DEAD if cause else Verdict.ALIVE
    return Judgement(verdict=verdict, explanation=cause, outcomes=outcomes(row, now=now), token=row)
