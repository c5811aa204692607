"""How long a request may be, at both doors (AZ-24, E39, SD-20)."""

from collections.abc import Iterable
from http import HTTPStatus

KIB = 1024
HEADERS = 32 * KIB
QUERY = 8 * KIB
MACHINE_BODY = 64 * KIB
AUTHORIZE_BODY = 128 * KIB
JSON_BODY = 16 * KIB


def headers_too_long(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the header lines together pass the limit, counted as they travel."""
    return sum(len(name) + len(value) + len(b": \r\n") for name, value in headers) > HEADERS


def too_long(*, query: int, body: int, body_limit: int = MACHINE_BODY) -> HTTPStatus | None:
    """The status that answers a query or body of this many bytes, None if they fit (RFC 9110 §15.5.14, §15.5.15)."""
    if query > QUERY:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if body > body_limit:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None
