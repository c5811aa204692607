"""An answer in one piece past uvicorn's `send`, which takes two messages and looks through every header for CR and LF.

Written against private parts of uvicorn's `RequestResponseCycle`, as smartauth/http_protocol.py is.
"""

from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from oauth.http.asgi import Send


def write_whole(protocol: HttpToolsProtocol, send: Send, status: int, lines: bytes, body: bytes) -> bool:
    """Answers the request that this connection is at, as `send` does, and says whether.

    What is unusual is left to `send`: one that somebody has wrapped, a client that has gone, does not read, has sent
    further requests (then the cycle is that of the last one), asked by HEAD, or gets no other answer. `lines` are our
    own, and say how long the body is.
    """
    cycle = protocol.cycle
    is_unusual = (
        getattr(send, "__self__", None) is not cycle
        or cycle.disconnected
        or cycle.response_started
        or not cycle.keep_alive
        or protocol.flow.write_paused
        or cycle.scope["method"] == "HEAD"
    )
    if is_unusual:
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(b"".join((STATUS_LINE[status], _lines(tuple(cycle.default_headers)), lines, b"\r\n", body)))
    cycle.message_event.set()
    cycle.on_response()
    return True


@lru_cache(4)  # uvicorn's own headers are the date, which it writes once a second
def _lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    return b"".join(b"%s: %s\r\n" % line for line in headers)
