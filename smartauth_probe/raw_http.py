"""One request over a socket, byte by byte as it is given: what is wrong on purpose no client of HTTP would send."""

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from smartauth_probe.requests import Presentation

SECONDS = 15.0
BODY_LIMIT = 1_000_000


class NoAnswer(Exception):
    """Why there is no answer, in a sentence."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, with the names that clients of HTTP give to its parts."""

    status_code: int
    headers: HTTPMessage
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


def send(base: str, request: Presentation) -> Response:
    """The answer of the server at that base; no redirect is followed and no proxy asked. Raises NoAnswer."""
    try:
        with _connect(urlsplit(base)) as connection:
            with suppress(ConnectionError):  # a server may answer before it has read everything
                connection.sendall(_message(urlsplit(base), request))
            response = HTTPResponse(connection, method=request.method)
            response.begin()
            return Response(response.status, response.headers, response.read(BODY_LIMIT))
    except (OSError, HTTPException) as problem:
        raise NoAnswer(f"{base} did not answer: {type(problem).__name__} {problem}".rstrip()) from None


def _connect(base: SplitResult) -> socket.socket:
    is_secure = base.scheme == "https"
    host, port = base.hostname or "", base.port or (443 if is_secure else 80)
    connection = socket.create_connection((host, port), timeout=SECONDS)
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host) if is_secure else connection


def _message(base: SplitResult, request: Presentation) -> bytes:
    """Each character of a header's value is one byte."""
    query = f"?{request.query}" if request.query else ""
    head = [
        f"{request.method} {base.path}/{request.path}{query} HTTP/1.1",
        f"Host: {base.netloc}",
        "Accept: application/fhir+json",
        "Connection: close",
        *(f"{name}: {value}" for name, value in request.headers),
    ]
    if request.body:
        head.append(f"Content-Length: {len(request.body)}")
    return ("\r\n".join(head) + "\r\n\r\n" + request.body).encode("latin-1")
