"""What stands between the event loop and Django's threads: requests arrive there whole, or not at all."""

from typing import Any

from django.conf import settings

from oauth.http.endpoint import Receive, Scope, Send


class RequestBuffer:
    """Reads the body on the loop: no thread waits for a slow sender, none works for one who left halfway.

    A body that is too long is not read; its announced length makes Django refuse it with the page that belongs there.
    """

    def __init__(self, threads: Any) -> None:
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, length = b"", _content_length(scope["headers"])
        while length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            length = max(length, len(body))
            if not message.get("more_body"):
                break
        whole = body if length == len(body) else b""
        headers = [*_headers_for_wsgi(scope["headers"]), (b"content-length", b"%d" % length)]
        await self._threads({**scope, "headers": headers}, _receive_whole(whole), send)


def _content_length(headers: list[tuple[bytes, bytes]]) -> int:
    value = dict(headers).get(b"content-length", b"0")
    return int(value[:18]) if value.isdigit() else 0


def _headers_for_wsgi(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Without names that WSGI takes for others: X_Forwarded_For would count as X-Forwarded-For (PR-05)."""
    return [(name, value) for name, value in headers if b"_" not in name and name != b"content-length"]


def _receive_whole(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
