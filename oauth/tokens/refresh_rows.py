"""Where the rows of refresh tokens are: on PostgreSQL in partitions by expiry, and a look-up pays for each of them.

The text of a token tells on which day it expires, so that one partition is looked at. It may be one that was issued
before texts told it, and its row may have been changed by hand: what is not found there is looked for everywhere.
"""

from collections.abc import Callable
from typing import TypeVar

from oauth.models import sql
from smart.digests import sha256_hex
from smart.tokens.refresh import ANY_TIME, possible_ends

Found = TypeVar("Found")
Place = tuple[str, int, int]

OF_TOKEN = "digest = %s AND expires_at BETWEEN %s AND %s"  # noqa: S105  # the values are a place
_KEPT = f"SELECT id FROM oauth_refreshtoken WHERE {OF_TOKEN}"  # noqa: S608  # a text of our own


def find(token: str, ask: Callable[[Place], Found | None]) -> Found | None:
    """What is found at the place that the token tells, else anywhere; None where nothing is."""
    digest = sha256_hex(token)
    for ends in dict.fromkeys((possible_ends(token), ANY_TIME)):
        if (found := ask((digest, *ends))) is not None:
            return found
    return None


def is_refresh_token(text: str) -> bool:
    """Whether it was issued as one, and is kept."""
    return find(text, lambda place: sql.value(_KEPT, place)) is not None
