"""Seats within a batch: the numbers that its tokens take in the order of arrival, and the tokens that die by that."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

from accounts import clock
from oauth.http.lane import Lane
from oauth.http.postgresql_session import BEGIN
from oauth.models import sql
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.supersede import (
    MAY_LOSE,
    NO_SEAT,
    OF_AUTHORIZATION,
    Loser,
    SeatNumbers,
    TakenNumbers,
    seat_key,
    seat_numbers,
)
from smart.json_output import ascii_json
from smart.tokens.lifetimes import ends_of_live_tokens


class TakenSeat(NamedTuple):
    """A seat after as many launches as the batch has for it."""

    key: Annotated[str, "oauth_seat.key"]
    pk: Annotated[int, "oauth_seat.id"]
    latest: Annotated[int, "oauth_seat.latest"]
    launches: Annotated[int, "oauth_seat.launches"]


class NumberedToken(NamedTuple):
    """A token of a seat that may die in this batch, and what its event says of it."""

    seat_id: Annotated[int, "t.seat_id"]
    number: Annotated[int, "t.seat_number"]
    loser: Loser


def numbered_tokens(seat: str, numbers: str) -> str:
    """The tokens of a seat with such numbers that may lose their place, each with its authorization.

    The values are between which two moments a live token expires: they leave the partitions in which it may be. OFFSET
    keeps the order: seats first, then their tokens by seat and number. Left free, PostgreSQL begins with a partition
    that it takes for empty, and keeps that plan while the partition fills.
    """
    return f"""(
    SELECT t.id, t.seat_id, t.seat_number, t.authorization_id, t.authorization_epoch FROM oauth_accesstoken t
    WHERE t.seat_id = {seat} AND {numbers} AND {MAY_LOSE} OFFSET 0
) t {OF_AUTHORIZATION}
"""  # noqa: S608  # our own texts


# Seats in the order of their keys: of two batches in two processes none waits for the other in a circle.
_TAKE = sql.returning(
    TakenSeat,
    f"""
INSERT INTO oauth_seat (key, latest, launches)
SELECT q.key, q.issues, q.issues FROM {sql.records("key text, issues bigint")} WHERE true
ON CONFLICT (key) DO UPDATE SET latest = oauth_seat.latest + EXCLUDED.latest,
    launches = oauth_seat.launches + EXCLUDED.launches
""",  # noqa: S608  # our own texts
)
_ENDED = "seat_number > s.latest - q.issues - q.keep AND seat_number <= s.latest - q.keep"
# Read by a later statement than the one that waited for the seats: it sees the tokens of those who held them.
_LOSERS = sql.select(
    NumberedToken,
    f"""
FROM {sql.records("key text, issues bigint, keep bigint")}
JOIN oauth_seat s ON s.key = q.key
CROSS JOIN LATERAL {numbered_tokens("s.id", _ENDED)}
""",
)


class BatchSeat:
    """A seat while a batch gives out its numbers."""

    def __init__(self, pk: int, latest: int, launches: int, tokens: Iterable[tuple[int, Loser]]) -> None:
        self.pk, self.latest, self.is_taken = pk, latest, False
        self._launches = launches
        self._tokens = dict(tokens)

    def take(
        self, token_id: int, authorization: AuthorizationState, *, launch_number: int | None = None
    ) -> SeatNumbers:
        """The next number, for that token; without a launch number it is a launch of its own."""
        self.latest, self.is_taken = self.latest + 1, True
        if launch_number is None:
            launch_number = self._launches = self._launches + 1
        self._tokens[self.latest] = Loser.issued_for(authorization, token_id)
        loser = self._tokens.get(self.latest - authorization.tokens_to_keep)
        return seat_numbers(TakenNumbers(self.pk, self.latest, launch_number), loser, authorization)


class NoSeat:
    """Where nothing supersedes."""

    def take(
        self, token_id: int, authorization: AuthorizationState, *, launch_number: int | None = None
    ) -> SeatNumbers:
        return NO_SEAT


Seats = dict[str, BatchSeat | NoSeat]


async def take_seats(lane: Lane, authorizations: Sequence[AuthorizationState], *, begun: bool) -> Seats:
    """The seats of these launches by their keys. A transaction begins, if none has, where one of them has a seat."""
    keys = [seat_key(each) for each in authorizations]
    keep = {key: each.tokens_to_keep for key, each in zip(keys, authorizations, strict=True)}
    issues = Counter(keys)
    wanted = [{"key": key, "issues": issues[key], "keep": keep[key]} for key in sorted(issues) if key]
    if not wanted:
        return {"": NoSeat()}
    values = [ascii_json(wanted).decode()]
    begin = [] if begun else [BEGIN]
    live = ends_of_live_tokens(clock.now())
    *_, taken, losers = await lane.run(*begin, (_TAKE.text, values), (_LOSERS.text, [*values, *live]))
    tokens: dict[int, list[tuple[int, Loser]]] = defaultdict(list)
    for token in (_LOSERS.row(*row) for row in losers):
        tokens[token.seat_id].append((token.number, token.loser))
    seats: Seats = {"": NoSeat()}
    for seat in (_TAKE.row(*row) for row in taken):
        count = issues[seat.key]
        seats[seat.key] = BatchSeat(seat.pk, seat.latest - count, seat.launches - count, tokens[seat.pk])
    return seats
