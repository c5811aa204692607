"""How long a request may be, at both doors (AZ-24, E39, SD-20)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

KIB = 1024
MAX_HEADERS = 32 * KIB
# libraries read these in time that grows with the square of their length
MAX_OF_HEADER: Mapping[bytes, int] = {b"content-type": 256, b"accept": KIB, b"cookie": 4 * KIB}
_AROUND_A_VALUE = len(": \r\n")
MAX_QUERY = 8 * KIB
MAX_MACHINE_BODY = 64 * KIB
MAX_AUTHORIZE_BODY = 128 * KIB
MAX_JSON_BODY = 16 * KIB
MAX_BATCH_BODY = 1024 * KIB


def has_too_long_headers(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the header lines together, as they travel, or all of one bounded name pass their limit (RFC 6585 §5)."""
    together, bounded = 0, dict.fromkeys(MAX_OF_HEADER, 0)
    for name, value in headers:
        together += len(name) + len(value) + _AROUND_A_VALUE
        if name in bounded:
            bounded[name] += len(value)
            if bounded[name] > MAX_OF_HEADER[name]:
                return True
    return together > MAX_HEADERS


def size_refusal(*, query: int, body: int, body_limit: int = MAX_MACHINE_BODY) -> HTTPStatus | None:
    """The status that answers a query or body of this many bytes, None if they fit (RFC 9110 §15.5.14, §15.5.15)."""
    if query > MAX_QUERY:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if body > body_limit:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None
