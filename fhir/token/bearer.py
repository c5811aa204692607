"""The access token of a request: from the Authorization header and nowhere else (RFC 6750 §2, BCP §4.3.2)."""

import re
from collections.abc import Mapping

from fhir.operation_outcome import InvalidToken, NoToken

MAX_TOKEN = 16_384
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def bearer_token(environ: Mapping[str, str], realm: str) -> str:
    """The token presented. Two headers arrive joined by a comma, which no token holds: refused like any bad one."""
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "bearer":
        raise NoToken(realm)
    presented = credentials.strip()
    if len(presented) > MAX_TOKEN or not _TOKEN.fullmatch(presented):
        raise InvalidToken(realm)
    return presented
