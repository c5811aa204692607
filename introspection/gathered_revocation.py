"""Revocation of access tokens by their own client, gathered: one read that locks them, one write, one commit.

The lock waits for nobody: a token that somebody else holds sends its request alone. A row that has changed since the
statement began is read again once it is locked.
"""

from typing import Annotated, NamedTuple

from accounts import clock
from oauth.clients.authentication import SecretClient, client_of_row
from oauth.clients.gathered_clients import gathered_as_client
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.ending.tokens import EndedToken, ended_event
from oauth.http.gathering import Answers, Waiting
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.postgresql_session import BEGIN
from oauth.models import sql
from oauth.tokens.authorization_state import CLIENT_AND_SERVER
from oauth.tokens.gathered_writes import Writes, array_of_digests
from smart.digests import sha256_hex
from smart.tokens.lifetimes import ends_of_live_tokens


class RevocationRow(NamedTuple):
    """An access token (t) of an authorization (a), the client that has it (c), and what its event says."""

    digest: Annotated[str, "t.digest"]
    pk: Annotated[int, "t.id"]
    expires_at: Annotated[int, "t.expires_at"]
    revoked_at: Annotated[int, "t.revoked_at"]
    authorization_pk: Annotated[int, "a.id"]
    patient: Annotated[str, "a.patient"]
    person: Annotated[str | None, "u.subject"]
    base: Annotated[str, "s.base"]
    client: SecretClient


# A token that is over, or was never issued, goes alone: of the others one partition is looked at, or two. OFFSET
# keeps the order: each digest is looked up. Left free, PostgreSQL reads all that ends within the bounds, and keeps that
# plan while their number grows.
_ASKED = """
FROM unnest(%s::text[]) AS q (digest) CROSS JOIN LATERAL (
    SELECT id, digest, expires_at, revoked_at, authorization_id FROM oauth_accesstoken
    WHERE digest = q.digest AND expires_at BETWEEN %s AND %s OFFSET 0 FOR NO KEY UPDATE SKIP LOCKED
) t
"""
_TOKENS = sql.select(
    RevocationRow,
    f"""
{_ASKED} JOIN oauth_authorization a ON a.id = t.authorization_id {CLIENT_AND_SERVER}
LEFT JOIN accounts_user u ON u.id = a.user_id
""",
)


async def gathered_revocation(request: MachineRequest) -> MachineResponse | None:
    """200 for an access token of the client that asks; None for what is answered alone. Raises OAuthError."""
    if "token" not in request.parameters:
        return None
    return await gathered_as_client(_revoke_together, request, sha256_hex(request.parameters["token"]))


async def _revoke_together(lane: Lane, batch: list[Waiting]) -> Answers:
    asked = [array_of_digests(batch), *ends_of_live_tokens(clock.now())]
    _, found = await lane.run(BEGIN, (_TOKENS.text, asked))
    rows = {row.digest: row for row in (_TOKENS.row(*each) for each in found)}
    writes = Writes()
    answers = [_revoke(writes, rows.get(w.digest), w.request) for w in batch]
    await writes.commit(lane, begun=True)
    return answers


def _revoke(writes: Writes, row: RevocationRow | None, request: MachineRequest) -> MachineResponse | None:
    if row is None or row.revoked_at:
        return None
    client = client_of_row(request, row.client)
    if client is None:
        return None
    request.client = client
    actor = Actor(now=request.now, address=request.address, client_id=client.client_id)
    writes.revoke_access_token(row.pk, row.expires_at, now=request.now, reason=EndedFor.REVOKED)
    writes.record_events([ended_event(_ended(row), actor, EndedFor.REVOKED)])
    return MachineResponse(200)


def _ended(row: RevocationRow) -> EndedToken:
    return EndedToken(
        pk=row.pk,
        authorization_pk=row.authorization_pk,
        client_id=row.client.client_id,
        person=row.person,
        fhir_server=row.base,
        patient=row.patient,
    )
