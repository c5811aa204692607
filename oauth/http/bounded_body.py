"""Reading a body that somebody else sends, up to a limit: from a client on the event loop, or from another server."""

from collections.abc import Mapping

from oauth.http.asgi import Receive


class BodyTooLong(Exception):
    """A body longer than the limit: how long it is known to be, and what of it was read."""

    def __init__(self, length: int, read: bytes = b"") -> None:
        super().__init__(length)
        self.length, self.read = length, read


class ClientDisconnected(Exception):
    """The client left before its body was complete."""


def announced_length(headers: Mapping[bytes, bytes]) -> int:
    """What Content-Length says, 0 where it says nothing."""
    value = headers.get(b"content-length", b"0")
    return int(value[:18]) if value.isdigit() else 0


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body of a request. Raises BodyTooLong, without reading one that announces it, or ClientDisconnected."""
    announced = announced_length(headers)
    if announced > limit:
        raise BodyTooLong(announced)
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        body = append_part(body, message.get("body", b""), limit)
        more = message.get("more_body", False)
    return body


def append_part(body: bytes, part: bytes, limit: int) -> bytes:
    """The body with its next part. Raises BodyTooLong."""
    body += part
    if len(body) > limit:
        raise BodyTooLong(len(body), body)
    return body
