"""What a text of claims says at a base, read once for all requests that find the same text."""

import json
from typing import NamedTuple

from smart.decisions.answer import claims_json
from smart.decisions.subject import Subject, read_subject, require_active, require_unexpired
from smart.remembered import remembered


class TokenAtBase(NamedTuple):
    """The subject that a token speaks for, until when in seconds, and those of its claims that a yes tells, as JSON."""

    subject: Subject
    expires_at: float
    claims: str


def token_at_base(claims: str, base: str, now: float) -> TokenAtBase:
    """What claims that were read just now, as JSON, come to at that base. Raises InvalidClaims."""
    found = _token_at_base(claims, base)
    require_unexpired(found.expires_at, now)
    return found


@remembered  # of the text alone: whether the token lives is asked before, and when it expires each time
def _token_at_base(claims: str, base: str) -> TokenAtBase:
    members = json.loads(claims)
    require_active(members)
    return TokenAtBase(read_subject(members, base, 0), members["exp"], claims_json(members))
