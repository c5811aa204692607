"""HTTP as no library would send it: bytes on a socket, and what came back."""

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.running import Server

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
HOST = b"Host: 127.0.0.1\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """The first answer on a connection; status 0 when it was closed without one."""

    status: int
    head: bytes
    body: bytes

    @property
    def by_uvicorn(self) -> bool:
        """Whether uvicorn refused it before we saw it."""
        return self.body == b"Invalid HTTP request received."


class Wire:
    """One connection to a server."""

    def __init__(self, server: Server, *, timeout: float = 20) -> None:
        address = urlsplit(server.url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=timeout)
        self._received = b""
        self._only_heads = False

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, pieces: Iterable[bytes], *, pause: float = 0) -> None:
        """Everything, or as much as the server takes before it hangs up."""
        for piece in pieces:
            self._only_heads = piece.startswith(b"HEAD ")
            try:
                self._socket.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                return
            time.sleep(pause)

    def leave(self) -> None:
        """No more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def reply(self) -> Reply:
        """Raises TimeoutError if nothing comes, ConnectionResetError if an answer was cut off."""
        while b"\r\n\r\n" not in self._received:
            if not self._more():
                return Reply(0, self._received, b"")
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        return Reply(int(head[9:12]), head, self._body(head.lower()))

    def _body(self, head: bytes) -> bytes:
        if self._only_heads:
            return b""
        if b"transfer-encoding: chunked" in head:
            while b"0\r\n\r\n" not in self._received:
                if not self._more():
                    break
            body, _, self._received = self._received.partition(b"0\r\n\r\n")
            return body
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        while len(self._received) < length and self._more():
            pass
        body, self._received = self._received[:length], self._received[length:]
        return body

    def _more(self) -> bool:
        piece = self._socket.recv(65_536)
        self._received += piece
        return bool(piece)


def post(path: str, body: bytes, headers: bytes = FORM) -> bytes:
    """A POST that announces its length."""
    return b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s" % (path.encode(), HOST, headers, len(body), body)


def chunked(path: str, body: bytes, headers: bytes = FORM) -> bytes:
    """A POST that does not say how long it will be."""
    head = b"POST %s HTTP/1.1\r\n%s%sTransfer-Encoding: chunked\r\n\r\n" % (path.encode(), HOST, headers)
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def exchange(server: Server, request: bytes) -> Reply:
    """The answer to these bytes on a fresh connection."""
    with Wire(server) as wire:
        wire.send([request])
        return wire.reply()
