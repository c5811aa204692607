"""RFC 7009: a client ends its token, or a resource server one of its FHIR servers."""

from typing import Annotated, NamedTuple

from django.db import transaction

from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.clients.authentication import run_as_client
from oauth.http.answer import Answer
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.models import public_reference, sql
from oauth.tokens import id_token
from smart.digests import sha256_hex
from smart.http.errors import OAuthError, UnauthorizedClient, UnsupportedTokenType


class RevokedToken(NamedTuple):
    """An access token that this request has just ended."""

    pk: Annotated[int, "id"]
    authorization_pk: Annotated[int, "authorization_id"]


_END_ACCESS = sql.returning(
    RevokedToken,
    """
UPDATE oauth_accesstoken SET revoked_at = %s, revoked_for = 'revoked'
WHERE digest = %s AND revoked_at = 0 AND EXISTS (SELECT 1 FROM oauth_authorization a
    WHERE a.id = oauth_accesstoken.authorization_id AND (a.client_id = %s
        OR EXISTS (SELECT 1 FROM oauth_resourceserver r
            WHERE r.client_id = %s AND r.fhir_server_id = a.fhir_server_id)))
""",
)
# A refresh token ends its grant, also one that was used before: whoever shows it wants no more of that access (RV-04).
_END_AUTHORIZATION = """
UPDATE oauth_authorization SET epoch = epoch + 1, ended_at = %s, ended_for = 'revoked'
WHERE ended_at = 0 AND id = (SELECT authorization_id FROM oauth_refreshtoken WHERE digest = %s) AND (client_id = %s
    OR EXISTS (SELECT 1 FROM oauth_resourceserver r
        WHERE r.client_id = %s AND r.fhir_server_id = oauth_authorization.fhir_server_id))
RETURNING id
"""
_FORBIDDEN = """
SELECT 1 FROM oauth_authorization a
WHERE a.id IN (SELECT authorization_id FROM oauth_accesstoken WHERE digest = %s
               UNION SELECT authorization_id FROM oauth_refreshtoken WHERE digest = %s)
AND a.client_id <> %s AND NOT EXISTS (
    SELECT 1 FROM oauth_resourceserver r WHERE r.client_id = %s AND r.fhir_server_id = a.fhir_server_id)
"""


async def revoke(request: MachineRequest) -> Answer:
    """200 with an empty body for what is dead afterwards; the hint is only a hint (RV-01 to RV-04)."""
    return await run_as_client(request, lambda client: _revoke(request, client))


def _revoke(request: MachineRequest, client: AuthenticatedClient) -> Answer:
    token = request.required("token")
    with transaction.atomic():
        refusal = _end(sha256_hex(token), client, request)
    if refusal is not None:
        raise refusal
    return Answer(200)


def _end(token: str, client: AuthenticatedClient, request: MachineRequest) -> OAuthError | None:
    whom: list[sql.Value] = [request.now, token, client.pk, client.pk]
    if revoked := sql.one(_END_ACCESS, whom):
        record(_event(EventKind.REVOKED, revoked.authorization_pk, client, request, token=public_reference(revoked.pk)))
    elif ended := sql.value(_END_AUTHORIZATION, whom):
        record(_event(EventKind.AUTHORIZATION_ENDED, ended, client, request))
    elif sql.value(_FORBIDDEN, [token, token, client.pk, client.pk]):
        return UnauthorizedClient("this token belongs to another client")
    elif id_token.parse_hint(request.required("token")):
        return UnsupportedTokenType("an ID token cannot be revoked")
    return None


def _event(
    kind: EventKind, authorization: int, client: AuthenticatedClient, request: MachineRequest, *, token: str = ""
) -> Event:
    return Event(
        kind=kind,
        at=request.now,
        client=client.client_id,
        authorization=public_reference(authorization),
        token=token,
        address=request.address,
    )
