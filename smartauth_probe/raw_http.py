"""One request over a socket, byte by byte as it is given: what is wrong on purpose no client of HTTP would send."""

import io
import re
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from smartauth_probe.requests import Presentation

SECONDS = 15.0
BODY_LIMIT = 1_000_000
# An id or a version that a server told may be any text. What it holds begins no line, so no request of its own either;
# that a line goes on in the next is one of the things that are wrong on purpose.
_NOT_IN_A_TARGET = re.compile("[^!-~]")
_LINE_END = re.compile(r"\r(?!\n)|\r?\n(?![ \t])")


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


class _Deadline:
    """When everything has to be over, however the server spreads what it says."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """In seconds. Raises TimeoutError once there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _BoundedReads(io.RawIOBase):
    """What comes over a connection, as HTTPResponse reads it: each read has what is left of the time."""

    def __init__(self, connection: socket.socket, deadline: _Deadline) -> None:
        self._connection, self._deadline = connection, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.left())
        return self._connection.recv_into(buffer)


def send(base: str, request: Presentation, *, seconds: float = SECONDS) -> Response:
    """The answer of the server at that base, in that many seconds at the latest.

    No redirect is followed and no proxy asked. Raises NoAnswer.
    """
    deadline = _Deadline(seconds)
    try:
        with _connect(urlsplit(base), deadline) as connection:
            connection.settimeout(deadline.left())
            with suppress(ConnectionError):  # a server may answer before it has read everything
                connection.sendall(_message(urlsplit(base), request))
            reads: Any = _BoundedReads(connection, deadline)
            response = HTTPResponse(reads, method=request.method)
            response.begin()
            return Response(response.status, response.headers, response.read(BODY_LIMIT))
    except TimeoutError:
        raise NoAnswer(f"{base} did not answer within {seconds:g} seconds") from None
    except (OSError, HTTPException, ValueError) as problem:  # of a length that is no number, of a port out of range
        raise NoAnswer(f"{base} did not answer: {type(problem).__name__} {problem}".rstrip()) from None


def _connect(base: SplitResult, deadline: _Deadline) -> socket.socket:
    is_secure = base.scheme == "https"
    host, port = base.hostname or "", base.port or (443 if is_secure else 80)
    connection = socket.create_connection((host, port), timeout=deadline.left())
    if not is_secure:
        return connection
    connection.settimeout(deadline.left())
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def _message(base: SplitResult, request: Presentation) -> bytes:
    """Each character of a header's value is one byte."""
    query = f"?{request.query}" if request.query else ""
    path = f"{base.path}/{request.path}" if request.path or not base.path else base.path
    target = _NOT_IN_A_TARGET.sub(lambda found: quote(found[0], errors="replace"), f"{path}{query}")
    named = {name.lower() for name, _ in request.headers}
    head = [
        f"{request.method} {target} HTTP/1.1",
        f"Host: {base.netloc}",
        *(["Accept: application/fhir+json"] if "accept" not in named else []),
        "Connection: close",
        *(f"{name}: {_LINE_END.sub('', value)}" for name, value in request.headers),
    ]
    if request.body:
        head.append(f"Content-Length: {len(request.body)}")
    return ("\r\n".join(head) + "\r\n\r\n" + request.body).encode("latin-1")
