"""Refreshes, gathered: tokens and seats locked with all that belongs to them by one read, one write, one commit.

The locks wait for nobody: a row that somebody else holds sends its request alone. A token that has changed since
the statement began is read again once it is locked. Its authorization is not locked: what ends it meanwhile raises its
epoch, and what is issued under the old one is dead. A seat that has given a number since the statement began sends its
requests alone, too: the token with that number, which may lose its place, is not seen.
"""

from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from django.conf import settings

from accounts import clock
from audit.event_kinds import EventKind
from oauth.clients.authentication import SecretClient, client_of_row
from oauth.clients.gathered_clients import gathered_as_client
from oauth.http.credentials import AuthenticatedClient
from oauth.http.gathering import Answers, Waiting
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.postgresql_session import BEGIN
from oauth.models import sql
from oauth.tokens import address_binding, refresh_grace
from oauth.tokens.allowed_method import is_allowed_method
from oauth.tokens.authorization_state import STATE_OF_AUTHORIZATION, AuthorizationState
from oauth.tokens.gathered_issue import NextToken, answer_each, issue_access_token, issue_refresh_token
from oauth.tokens.gathered_seats import BatchSeat, NoSeat, numbered_tokens
from oauth.tokens.gathered_writes import NEW_TOKEN_ID, Writes, array_of_digests
from oauth.tokens.refresh_token import ConsumedRefreshToken, allowed_scope, require_live
from oauth.tokens.supersede import Loser
from oauth.tokens.unheard_commit import remember_attempt
from smart.digests import sha256_hex
from smart.http.errors import OAuthError
from smart.tokens.address_binding import OFF
from smart.tokens.lifetimes import ends_of_live_tokens
from smart.tokens.liveness import is_superseded
from smart.tokens.refresh import possible_ends

_LATEST_BEFORE = "(SELECT latest FROM oauth_seat WHERE id = oauth_refreshtoken.seat_id)"
_TOKENS = f"""(SELECT json_agg(json_build_array(t.seat_number, {sql.expressions(Loser)}))
    FROM {numbered_tokens("e.id", "seat_number > e.latest - c.tokens_to_keep")})"""  # noqa: S608  # our own texts


class HeldSeat(NamedTuple):
    """A seat that the batch has locked, None for each if there is none; and those of its tokens that may lose their
    place, each with its number.

    `latest_before` is what the statement saw of it before the lock.
    """

    pk: Annotated[int | None, "e.id"]
    latest: Annotated[int, "e.latest"]
    launches: Annotated[int, "e.launches"]
    latest_before: Annotated[int, _LATEST_BEFORE]
    tokens: Annotated[list[list[Any]] | None, _TOKENS]


class RefreshRow(NamedTuple):
    """An unused refresh token that the batch has locked, its seat, authorization and client, and the id of the access
    token that it may get."""

    new_token_id: Annotated[int, NEW_TOKEN_ID]
    digest: Annotated[str, "oauth_refreshtoken.digest"]
    token: ConsumedRefreshToken
    seat: HeldSeat
    client: SecretClient
    authorization: AuthorizationState


class Refresh(NamedTuple):
    """A request that is granted."""

    client: AuthenticatedClient
    row: RefreshRow
    scope: str


# LATERAL with OFFSET keeps the order: each digest is looked up, however few tokens there were when it was planned. The
# bounds are those of the whole batch, and leave the partitions in which its tokens may be.
_REFRESHES = sql.select(
    RefreshRow,
    f"""
FROM unnest(%s::text[]) AS q (digest) CROSS JOIN LATERAL (
    SELECT * FROM oauth_refreshtoken
    WHERE digest = q.digest AND expires_at BETWEEN %s AND %s AND consumed_at = 0
    OFFSET 0 FOR NO KEY UPDATE SKIP LOCKED
) oauth_refreshtoken
JOIN oauth_authorization a ON a.id = oauth_refreshtoken.authorization_id {STATE_OF_AUTHORIZATION}
LEFT JOIN LATERAL (
    SELECT * FROM oauth_seat WHERE id = oauth_refreshtoken.seat_id OFFSET 0 FOR NO KEY UPDATE SKIP LOCKED
) e ON true
""",  # noqa: S608  # our own texts
)


async def gathered_refresh(request: MachineRequest) -> MachineResponse | None:
    """The answer to a plain refresh; None for what is answered alone. Raises OAuthError."""
    if "refresh_token" not in request.parameters:
        return None
    return await gathered_as_client(_refresh_together, request, sha256_hex(request.parameters["refresh_token"]))


async def _refresh_together(lane: Lane, batch: list[Waiting]) -> Answers:
    asked = [*ends_of_live_tokens(clock.now()), array_of_digests(batch), *_possible_ends(batch)]
    _, found = await lane.run(BEGIN, (_REFRESHES.text, asked))
    rows = {row.digest: row for row in (_REFRESHES.row(*each) for each in found)}
    granted = [_granted(waiting.request, rows.get(waiting.digest)) for waiting in batch]
    writes = Writes()
    issue = Issue(writes, [each.row.seat for each in granted if each])
    answers = await answer_each(issue.answer, granted, batch)
    writes.number_seats(issue.numbers)
    await writes.commit(lane, begun=True)
    return answers


def _possible_ends(batch: Iterable[Waiting]) -> tuple[int, int]:
    """Between which two moments the tokens of the batch expire, if their texts tell the truth; else they go alone."""
    first, last = zip(*(possible_ends(waiting.request.parameters["refresh_token"]) for waiting in batch), strict=True)
    return min(first), max(last)


def _granted(request: MachineRequest, row: RefreshRow | None) -> Refresh | None:
    """What a refresh gets; None where it is refused, was used before, or comes from another address."""
    client = client_of_row(request, row.client) if row else None
    if row is None or client is None or not _has_its_seat(row):
        return None
    authorization = row.authorization
    if "refresh_token" not in client.grants or not is_allowed_method(request, client):
        return None
    if address_binding.policy_for_refresh(authorization, request.address) != OFF:
        return None
    try:
        require_live(row.token, authorization, request)
        scope = allowed_scope(authorization, request)
    except OAuthError:
        return None
    return None if "user/" in scope else Refresh(client, row, scope)  # which patients a user sees has to be read


def _has_its_seat(row: RefreshRow) -> bool:
    """Whether the batch holds the token's seat, if it has one, in which no newer launch has ended it."""
    token, seat = row.token, row.seat
    if token.seat_id is None:
        return True
    if seat.pk is None or seat.latest != seat.latest_before:
        return False
    return not is_superseded(token.launch_number, seat.launches, row.authorization.tokens_to_keep)


class Issue:
    """What a batch of refreshes issues."""

    def __init__(self, writes: Writes, seats: Iterable[HeldSeat]) -> None:
        self._writes = writes
        self._seats: dict[int | None, BatchSeat | NoSeat] = {None: NoSeat()}
        for seat in seats:
            if seat.pk is not None:
                tokens = [(number, Loser(*loser)) for number, *loser in seat.tokens or ()]
                self._seats[seat.pk] = BatchSeat(seat.pk, seat.latest, seat.launches, tokens)

    def answer(self, granted: Refresh, request: MachineRequest) -> MachineResponse:
        """The answer to one of them, in the order of arrival."""
        client, row, scope = granted
        authorization, family, token_id = row.authorization, row.token.family, row.new_token_id
        numbers = self._seats[family.seat_id].take(token_id, authorization, launch_number=family.launch_number)
        token = NextToken(authorization, token_id, numbers, scope)
        answer = issue_access_token(self._writes, token, EventKind.REFRESHED, request)
        answer["refresh_token"] = issue_refresh_token(self._writes, authorization, family, now=request.now)
        response = remember_attempt(request, answer)
        self._spend(row.token, response.body, request)
        request.client = client
        return response

    @property
    def numbers(self) -> dict[int, int]:
        """The latest number of each seat that has given one."""
        return {seat.pk: seat.latest for seat in self._seats.values() if isinstance(seat, BatchSeat) and seat.is_taken}

    def _spend(self, token: ConsumedRefreshToken, body: bytes, request: MachineRequest) -> None:
        """Within the grace window its answer may be repeated, and that of the token before it no more (RF-05)."""
        kept = ""
        if settings.SMARTAUTH_REFRESH_GRACE_SECONDS:
            kept = refresh_grace.seal(body, request.parameters["refresh_token"])
            if token.predecessor_id is not None:
                self._writes.forget_answer(token.predecessor_id, successor_issued_at=token.issued_at)
        self._writes.spend_refresh_token(token.pk, token.expires_at, now=request.now, kept_answer=kept)
