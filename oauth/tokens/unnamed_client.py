"""A refresh without client_id (WF-01): the refresh token says which client holds it."""

from oauth.http.credentials import Credentials
from oauth.http.machine_request import MachineRequest
from oauth.models import sql
from oauth.tokens import refresh_rows
from smart.http.errors import InvalidGrant
from smart.tokens import tampering

INVALID = "the refresh token is not valid"
UNKNOWN = "no such refresh token was issued"
A_JWT = "it is a JWT, such as an access token, and no refresh token here is one"

_HOLDER = f"""
SELECT c.client_id FROM (SELECT authorization_id FROM oauth_refreshtoken WHERE {refresh_rows.OF_TOKEN}) r
JOIN oauth_authorization a ON a.id = r.authorization_id
JOIN oauth_client c ON c.id = a.client_id
"""  # noqa: S608  # texts of our own


def credentials_of_holder(request: MachineRequest) -> Credentials:
    """The client that refreshes without naming itself (WF-01): a public one needs no more, any other is refused later.

    Raises InvalidGrant for a refresh token that nobody holds.
    """
    token = request.required("refresh_token", rule="RF-01", case="E86")
    client_id: str | None = refresh_rows.find(token, lambda place: sql.value(_HOLDER, place))
    if client_id is None:
        raise unknown_refresh_token(token)
    return Credentials(client_id, None)


def unknown_refresh_token(token: str) -> InvalidGrant:
    """The refusal of what nobody holds; of a JWT its explanation says what was mixed up (E90)."""
    if tampering.parts(token):
        return InvalidGrant(INVALID, what=A_JWT, rule="RF-01", case="E90", presented="a JWT")
    return InvalidGrant(INVALID, what=UNKNOWN, rule="RF-01", case="E87")
