"""Code exchanges, gathered: codes locked with all that belongs to them, seats taken, one write, one commit.

The lock waits for nobody: a code or an authorization that somebody else holds sends its request alone. A row that has
changed since the statement began is read again once it is locked. Seats come last, as when a code is exchanged alone.
"""

from typing import Annotated, NamedTuple

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
from oauth.tokens.allowed_method import is_allowed_method
from oauth.tokens.authorization_code import ConsumedCode, bought_access, code_verifier
from oauth.tokens.authorization_state import STATE_OF_AUTHORIZATION, AuthorizationState
from oauth.tokens.gathered_issue import NextToken, answer_each, issue_access_token, issue_refresh_token
from oauth.tokens.gathered_seats import Seats, take_seats
from oauth.tokens.gathered_writes import NEW_TOKEN_ID, Writes, array_of_digests
from oauth.tokens.issue import RefreshFamily
from oauth.tokens.supersede import seat_key
from oauth.tokens.unheard_commit import remember_attempt
from smart.digests import sha256_hex
from smart.http.errors import OAuthError


class CodeRow(NamedTuple):
    """An unused code that the batch has locked, its authorization and client, and the id of the access token that it
    may buy."""

    new_token_id: Annotated[int, NEW_TOKEN_ID]
    digest: Annotated[str, "oauth_code.digest"]
    code: ConsumedCode
    client: SecretClient
    authorization: AuthorizationState


class Exchange(NamedTuple):
    """A request that is granted: the authorization has the scope that its code buys today."""

    client: AuthenticatedClient
    row: CodeRow
    authorization: AuthorizationState

    @property
    def scope(self) -> str:
        """The scope that it gets."""
        return self.authorization.scope


# LATERAL with OFFSET keeps the order: each digest is looked up, however few codes there were when it was planned.
_ASKED = """
FROM unnest(%s::text[]) AS q (digest) CROSS JOIN LATERAL (
    SELECT * FROM oauth_code WHERE digest = q.digest AND consumed_at = 0 OFFSET 0 FOR NO KEY UPDATE SKIP LOCKED
) oauth_code JOIN oauth_authorization a ON a.id = oauth_code.authorization_id
"""
# authorizations too: later refreshes are compared with the address that is written there
_CODES = sql.select(CodeRow, f"{_ASKED} {STATE_OF_AUTHORIZATION} FOR NO KEY UPDATE OF a SKIP LOCKED")


async def gathered_exchange(request: MachineRequest) -> MachineResponse | None:
    """The answer to a plain exchange; None for what is answered alone. Raises OAuthError."""
    if "code" not in request.parameters or "redirect_uri" not in request.parameters:
        return None
    return await gathered_as_client(_exchange_together, request, sha256_hex(request.parameters["code"]))


async def _exchange_together(lane: Lane, batch: list[Waiting]) -> Answers:
    _, found = await lane.run(BEGIN, (_CODES.text, [array_of_digests(batch)]))
    rows = {row.digest: row for row in (_CODES.row(*each) for each in found)}
    granted = [_granted(waiting.request, rows.get(waiting.digest)) for waiting in batch]
    seats = await take_seats(lane, [each.authorization for each in granted if each], begun=True)
    issue = Issue(seats)
    answers = await answer_each(issue.answer, granted, batch)
    issue.writes.bind_token_addresses(issue.addresses)
    await issue.writes.commit(lane, begun=True)
    return answers


def _granted(request: MachineRequest, row: CodeRow | None) -> Exchange | None:
    """What an exchange gets; None where it is refused, or where the code was used before or is held by somebody."""
    client = client_of_row(request, row.client) if row else None
    if row is None or client is None:
        return None
    if "authorization_code" not in client.grants or not is_allowed_method(request, client):
        return None
    try:
        verifier, redirect_uri = code_verifier(request, client), request.parameters["redirect_uri"]
        authorization = bought_access(row.code, row.authorization, redirect_uri, verifier, now=request.now)
    except OAuthError:
        return None
    # which patients a user sees has to be read
    return None if "user/" in authorization.scope else Exchange(client, row, authorization)


class Issue:
    """What a batch of exchanges issues, and the addresses at which its authorizations may be refreshed."""

    def __init__(self, seats: Seats) -> None:
        self.writes, self.addresses = Writes(), dict[int, str]()
        self._seats = seats

    def answer(self, granted: Exchange, request: MachineRequest) -> MachineResponse:
        """The answer to one of them, in the order of arrival."""
        client, row, authorization = granted
        numbers = self._seats[seat_key(authorization)].take(row.new_token_id, authorization)
        code, now = row.code, request.now
        token = NextToken(authorization, row.new_token_id, numbers, authorization.scope, code.pk, code.nonce)
        answer = issue_access_token(self.writes, token, EventKind.ISSUED, request)
        if authorization.refresh_kind:
            self.addresses[authorization.pk] = request.address
            family = RefreshFamily(None, numbers.seat_id, numbers.launch_number, now)
            answer["refresh_token"] = issue_refresh_token(self.writes, authorization, family, now=now)
        self.writes.consume_code(code.pk, now=now)
        request.client = client
        return remember_attempt(request, answer)
