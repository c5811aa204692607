"""What goes back on the machines' side: status, body and headers, and those that every answer has."""

import json
import random
from dataclasses import dataclass, replace
from http import HTTPStatus

from django.conf import settings

from oauth.http.asgi import Scope, Send
from oauth.http.connection import write_whole_answer
from oauth.http.explanations import with_reference
from oauth.http.oauth_errors import described_members, error_headers
from smart.explanation import HEADER, Explanation
from smart.http.errors import InvalidRequest, OAuthError

_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
if settings.SECURE_HSTS_SECONDS:
    _HEADERS.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"))
_LINES = b"".join(b"%s: %s\r\n" % line for line in _HEADERS)

HEADERS_TOO_LONG = InvalidRequest("the headers are too long", rule="SD-20")


@dataclass(frozen=True, slots=True)
class MachineResponse:
    """A status, a body that is JSON or empty, headers beside those that every answer has.

    `explanation` is of a refusal, also of {"active":false}; it is written to nobody outside development.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    explanation: Explanation | None = None

    def with_reason(self) -> "MachineResponse":
        """The same with the header that tells a developer why it refuses."""
        if self.explanation is None or not self.explanation.rule:
            return self
        explanation = with_reference(self.explanation)
        return replace(self, headers=(*self.headers, (HEADER, explanation.line)), explanation=explanation)


def oauth_error_response(error: OAuthError) -> MachineResponse:
    """An OAuthError as RFC 6749 §5.2 writes it."""
    explanation = with_reference(error.explanation)
    body = json.dumps(described_members(error, explanation)).encode()
    return MachineResponse(error.status, body, tuple(error_headers(error).items()), explanation)


def invalid_request(status: HTTPStatus, error: InvalidRequest, *headers: tuple[str, str]) -> MachineResponse:
    """What is wrong with the request as HTTP, under the status that HTTP has for it."""
    return replace(oauth_error_response(error), status=status, headers=headers)


def response_headers(answer: MachineResponse, request_id: str) -> list[tuple[bytes, bytes]]:
    """Its own and those that every answer has."""
    headers = [*_HEADERS, (b"x-request-id", request_id.encode()), (b"content-length", b"%d" % len(answer.body))]
    return headers + [(name.lower().encode(), value.encode()) for name, value in answer.headers]


def random_request_id() -> str:
    """By which a request is found in the log: no secret, so that no system call is paid for it."""
    return f"{random.getrandbits(64):016x}"


async def send_response(scope: Scope, send: Send, answer: MachineResponse, request_id: str = "") -> None:
    """Sends it with the headers that every answer has; in one piece if it has no others and the server can."""
    request_id = request_id or random_request_id()
    if not answer.headers:
        lines = b"%sx-request-id: %s\r\ncontent-length: %d\r\n" % (_LINES, request_id.encode(), len(answer.body))
        if write_whole_answer(scope, send, answer.status, lines, answer.body):
            return
    headers = response_headers(answer, request_id)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_headers_too_long(scope: Scope, send: Send) -> None:
    """The answer to headers that are longer than anybody needs, on either side (RFC 6585 §5)."""
    answer = invalid_request(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEADERS_TOO_LONG)
    await send_response(scope, send, answer)
