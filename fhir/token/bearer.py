"""The access token of a request: from the Authorization header and nowhere else (RFC 6750 §2, BCP §4.3.2)."""

from collections.abc import Mapping

from fhir.operation_outcome import InvalidToken, NoToken
from smart.http.bearer import bearer_credentials, is_bearer_token


def bearer_token(environ: Mapping[str, str], realm: str) -> str:
    """The token presented. Raises NoToken for none, InvalidToken for what is no token or more than one."""
    presented = bearer_credentials(environ.get("HTTP_AUTHORIZATION", ""))
    if presented is None:
        raise NoToken(realm)
    if not is_bearer_token(presented):
        raise InvalidToken(realm)
    return presented
