"""What stands between the event loop and Django's threads: requests arrive there whole, or not at all."""

from typing import Any

from django.conf import settings

from oauth.http.asgi import Receive, Scope, Send
from oauth.http.bounded_body import BodyTooLong, ClientDisconnected, announced_length, read_body

_OF_THE_WIRE = (b"content-length", b"transfer-encoding")


class RequestBuffer:
    """Reads the body on the loop: no thread waits for a slow sender, none works for one who left halfway.

    A body that is too long is not read; its announced length makes Django refuse it with the page that belongs there.
    """

    def __init__(self, threads: Any) -> None:
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            body = await read_body(receive, headers, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            length = max(len(body), announced_length(headers))
        except BodyTooLong as error:
            body, length = error.read, error.length
        except ClientDisconnected:
            return
        whole = [*_headers_for_wsgi(scope["headers"]), (b"content-length", b"%d" % length)]
        await self._threads({**scope, "headers": whole}, _receive_whole(body), send)


def _headers_for_wsgi(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Without what was true on the wire only (RFC 9112 §7.1.3), and without names that WSGI takes for others.

    X_Forwarded_For would count as X-Forwarded-For (PR-05).
    """
    return [(name, value) for name, value in headers if b"_" not in name and name not in _OF_THE_WIRE]


def _receive_whole(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
