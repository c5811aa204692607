"""What an application may do with the connection of its request: an extension of ASGI that our server offers."""

from collections.abc import Callable
from dataclasses import dataclass

from oauth.http.asgi import Scope

CONNECTION = "smartauth.connection"


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
