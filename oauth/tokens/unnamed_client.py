"""A refresh without client_id (WF-01): the refresh token says which client holds it."""

from oauth.http.credentials import Credentials
from oauth.http.machine_request import MachineRequest
from oauth.models import sql
from smart.digests import sha256_hex
from smart.http.errors import InvalidGrant

INVALID = "the refresh token is not valid"
UNKNOWN = "no such refresh token was issued"

_HOLDER = """
SELECT c.client_id FROM oauth_refreshtoken r
JOIN oauth_authorization a ON a.id = r.authorization_id
JOIN oauth_client c ON c.id = a.client_id
WHERE r.digest = %s
"""


def credentials_of_holder(request: MachineRequest) -> Credentials:
    """The client that refreshes without naming itself (WF-01): a public one needs no more, any other is refused later.

    Raises InvalidGrant for a refresh token that nobody holds.
    """
    client_id = sql.value(_HOLDER, [sha256_hex(request.required("refresh_token", rule="RF-01", case="E86"))])
    if client_id is None:
        raise InvalidGrant(INVALID, rule="RF-01", case="E87", what=UNKNOWN)
    return Credentials(client_id, None)
