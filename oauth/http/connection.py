"""What an application may do with the connection of its request: extensions of ASGI that our server offers."""

from collections.abc import Callable
from dataclasses import dataclass

from oauth.http.asgi import Scope

CONNECTION = "smartauth.connection"
WHOLE_ANSWER = "smartauth.whole_answer"

WriteWhole = Callable[[int, bytes, bytes], bool]  # status, header lines as they travel, body; whether it was written


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


def without_whole_answer(scope: Scope) -> Scope:
    """The scope for an application whose `send` is not the server's: what it answers must come by that."""
    kept = {name: found for name, found in scope.get("extensions", {}).items() if name != WHOLE_ANSWER}
    return {**scope, "extensions": kept}


def write_whole_answer(scope: Scope, status: int, lines: bytes, body: bytes) -> bool:
    """Writes an answer in one piece; says whether, for another server than ours has no such way."""
    write: WriteWhole | None = scope.get("extensions", {}).get(WHOLE_ANSWER)
    return write is not None and write(status, lines, body)
