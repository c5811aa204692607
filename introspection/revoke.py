"""RFC 7009: a client ends its token, or a resource server one of its FHIR servers."""

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
from oauth.tokens import id_token
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
# A refresh token ends its grant, also one that was used before: who shows it wants no more of that access (RV-04).
_AUTHORIZATION = f"""
SELECT a.id FROM oauth_authorization a JOIN oauth_refreshtoken t ON t.authorization_id = a.id
WHERE t.digest = %s AND a.ended_at = 0 AND {_OWN}
"""  # noqa: S608  # texts of our own
# What has ended before: an attempt whose answer was not heard may be known to this database alone, and a commit that
# has written nothing waits for no synchronous standby.
_WRITE_AGAIN = (
    "UPDATE oauth_accesstoken SET revoked_at = revoked_at WHERE digest = %s",
    "UPDATE oauth_refreshtoken SET consumed_at = consumed_at WHERE digest = %s",
)
_FORBIDDEN = """
SELECT 1 FROM oauth_authorization a
WHERE a.id IN (SELECT authorization_id FROM oauth_accesstoken WHERE digest = %s
               UNION SELECT authorization_id FROM oauth_refreshtoken WHERE digest = %s)
AND a.client_id <> %s AND NOT EXISTS (
    SELECT 1 FROM oauth_resourceserver r WHERE r.client_id = %s AND r.fhir_server_id = a.fhir_server_id)
"""


async def revoke(request: MachineRequest) -> MachineResponse:
    """200 with an empty body for what is dead afterwards; the hint is only a hint (RV-01 to RV-04)."""
    if answer := await gathered_revocation(request):
        return answer
    return await write_as_client(request, lambda client: _revoke(request, client))


def _revoke(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse:
    token = request.required("token", rule="RV-01", case="E110")
    with transaction.atomic():
        refusal = _end(sha256_hex(token), client, request)
    if refusal is not None:
        raise refusal
    return MachineResponse(200)


def _end(token: str, client: AuthenticatedClient, request: MachineRequest) -> OAuthError | None:
    parameters: list[sql.Value] = [token, client.pk, client.pk]
    actor = Actor(now=request.now, address=request.address, client_id=client.client_id)
    if end_token(_END_TOKEN, parameters, actor, EndedFor.REVOKED):
        return None
    if authorization := sql.value(_AUTHORIZATION, parameters):
        access.end_authorization(authorization, actor, EndedFor.REVOKED)
    elif sql.value(_FORBIDDEN, [token, token, client.pk, client.pk]):
        return UnauthorizedClient("this token belongs to another client", rule="RV-03", case="E112")
    elif id_token.parse_hint(request.required("token")):
        return UnsupportedTokenType("an ID token cannot be revoked", rule="RV-01", case="E113")
    else:
        for statement in _WRITE_AGAIN:
            sql.execute(statement, [token])
    return None
