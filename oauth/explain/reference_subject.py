"""What a reference is about, for pages and for the command: a refusal, else the token that has its number (AZ-25)."""

from dataclasses import replace

from oauth.ending.first_cause import token_with_cause
from oauth.explain.judgement import Judgement, judge_row
from oauth.explain.references import FoundRefusal, find_refusal
from oauth.models import public_reference


def reference_subject(number: int, *, now: int) -> FoundRefusal | Judgement | None:
    """The refusal that is kept under the reference, with a token of that number; else that token; None for neither."""
    found, row = find_refusal(public_reference(number)), token_with_cause(now=now, pk=number)
    token = judge_row(row, now=now) if row is not None else None
    return token if found is None else replace(found, token=token)
