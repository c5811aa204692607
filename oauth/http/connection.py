"""What an application may do with the connection of its request: extensions of ASGI that our server offers."""

from collections.abc import Callable
from dataclasses import dataclass

from oauth.http.asgi import Scope, Send

CONNECTION = "smartauth.connection"
WHOLE_ANSWER = "smartauth.whole_answer"

# `send`, status, header lines as they travel, body; whether it was written
WriteWhole = Callable[[Send, int, bytes, bytes], bool]


@dataclass(slots=True)
class Connection:
    """What an application may do with the connection of its request, in development.

    An answer that `may_be_cut` has no end of its own: it ends when the server stops.
    """

    abort: Callable[[], None]
    may_be_cut: bool = False


def connection_of(scope: Scope) -> Connection:
    """The connection; one that cannot be closed where another server than ours runs the application."""
    found = scope.get("extensions", {}).get(CONNECTION)
    return found if isinstance(found, Connection) else Connection(lambda: None)


def write_whole_answer(scope: Scope, send: Send, status: int, lines: bytes, body: bytes) -> bool:
    """Writes an answer in one piece; says whether: another server than ours has no such way, nor a wrapped `send`."""
    write: WriteWhole | None = scope.get("extensions", {}).get(WHOLE_ANSWER)
    return write is not None and write(send, status, lines, body)
