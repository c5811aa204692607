"""RFC 7009: a client ends its token, or a resource server one of its FHIR servers."""

from typing import Annotated, NamedTuple

from django.db import transaction

from introspection.gathered_revocation import gathered_revocation
from oauth.clients.authentication import write_as_client
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.ending.tokens import end_statement, end_token
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import sql
from oauth.tokens import id_token, refresh_rows
from oauth.tokens.unheard_commit import write_again
from smart.digests import sha256_hex
from smart.http.errors import OAuthError, UnauthorizedClient, UnsupportedTokenType

# the client whose token it is, or a resource server of its FHIR server
_OWN = """
(a.client_id = %s
    OR EXISTS (SELECT 1 FROM oauth_resourceserver r WHERE r.client_id = %s AND r.fhir_server_id = a.fhir_server_id))
"""
_END_TOKEN = end_statement(f"""
digest = %s AND EXISTS (
    SELECT 1 FROM oauth_authorization a WHERE a.id = oauth_accesstoken.authorization_id AND {_OWN})
""")  # noqa: S608  # texts of our own


class RefreshTokenRow(NamedTuple):
    """A refresh token (t), its authorization (a), and whether who asks may end that."""

    expires_at: Annotated[int, "t.expires_at"]
    authorization: Annotated[int, "a.id"]
    ended_at: Annotated[int, "a.ended_at"]
    is_own: Annotated[int, f"CASE WHEN {_OWN} THEN 1 ELSE 0 END"]


_REFRESH_TOKEN = sql.select(
    RefreshTokenRow,
    f"""
FROM (SELECT * FROM oauth_refreshtoken WHERE {refresh_rows.OF_TOKEN}) t
JOIN oauth_authorization a ON a.id = t.authorization_id
""",  # noqa: S608  # texts of our own
)
# of one that was ended before, as `unheard_commit.write_again` has it of an access token
_WRITE_REFRESH_TOKEN_AGAIN = (
    "UPDATE oauth_refreshtoken SET consumed_at = consumed_at WHERE digest = %s AND expires_at = %s"  # noqa: S105
)
_FORBIDDEN = f"""
SELECT 1 FROM oauth_accesstoken t JOIN oauth_authorization a ON a.id = t.authorization_id
WHERE t.digest = %s AND NOT {_OWN}
"""  # noqa: S608  # texts of our own


async def revoke(request: MachineRequest) -> MachineResponse:
    """200 with an empty body for what is dead afterwards; the hint is only a hint (RV-01 to RV-04)."""
    if answer := await gathered_revocation(request):
        return answer
    return await write_as_client(request, lambda client: _revoke(request, client))


def _revoke(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse:
    token = request.required("token", rule="RV-01", case="E110")
    with transaction.atomic():
        refusal = _end(token, client, request)
    if refusal is not None:
        raise refusal
    return MachineResponse(200)


def _end(token: str, client: AuthenticatedClient, request: MachineRequest) -> OAuthError | None:
    digest, who = sha256_hex(token), [client.pk, client.pk]
    actor = Actor(now=request.now, address=request.address, client_id=client.client_id)
    if end_token(_END_TOKEN, [digest, *who], actor, EndedFor.REVOKED):
        return None
    if refresh_token := refresh_rows.find(token, lambda place: sql.one(_REFRESH_TOKEN, [*who, *place])):
        return _end_grant(refresh_token, digest, actor)
    if sql.value(_FORBIDDEN, [digest, *who]):
        return _foreign()
    if id_token.parse_hint(token):
        return UnsupportedTokenType("an ID token cannot be revoked", rule="RV-01", case="E113")
    write_again(digest)
    return None


def _end_grant(found: RefreshTokenRow, digest: str, actor: Actor) -> OAuthError | None:
    """Also by a refresh token that was used before: who shows it wants no more of that access (RV-04)."""
    if not found.is_own:
        return _foreign()
    if found.ended_at:
        sql.execute(_WRITE_REFRESH_TOKEN_AGAIN, [digest, found.expires_at])
    else:
        access.end_authorization(found.authorization, actor, EndedFor.REVOKED)
    return None


def _foreign() -> OAuthError:
    return UnauthorizedClient("this token belongs to another client", rule="RV-03", case="E112")
