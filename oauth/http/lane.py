"""A connection to PostgreSQL on which the event loop writes, opened at the first use and after each failure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections

if TYPE_CHECKING:
    import psycopg

Asked = tuple[str, Sequence[Any]]

# Of Django's parameters; a psycopg connection without Django's cursors takes no others.
_DJANGO_ALONE = {"cursor_factory", "context", "prepare_threshold", "server_side_binding"}
_SETTINGS = (
    "jit = off",
    "plan_cache_mode = force_generic_plan",
    # Few rows out of large tables, each by its index. The planner guesses a hundred rows for every list of values, and
    # reads whole tables for them.
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "enable_seqscan = off",
    "enable_material = off",
    "enable_memoize = off",
    # a batch that waits, or that a stopped process left, stops nobody for long
    "lock_timeout = '300ms'",
    "statement_timeout = '3s'",
    "idle_in_transaction_session_timeout = '3s'",
)


class Lane:
    """One connection: what is asked of it together costs one round trip."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def run(self, *asked: Asked) -> list[list[tuple[Any, ...]]]:
        """The rows of each statement, all of them sent at once. Outside BEGIN and COMMIT each is a transaction."""
        connection = await self._opened()
        if len(asked) == 1:
            cursors = [await connection.execute(*asked[0], binary=True)]
        else:
            async with connection.pipeline():
                cursors = [await connection.execute(text, values, binary=True) for text, values in asked]
        return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]

    async def close(self) -> None:
        """Ends the connection, and with it what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _opened(self) -> "psycopg.AsyncConnection[Any]":
        if self._connection is None or self._connection.closed:
            import psycopg  # an extra: it is installed where a database is a PostgreSQL

            found = connections["default"].get_connection_params()
            known = {name: value for name, value in found.items() if name not in _DJANGO_ALONE}
            self._connection = await psycopg.AsyncConnection.connect(**known, autocommit=True, prepare_threshold=0)
            for setting in _SETTINGS:
                await self._connection.execute(f"SET {setting}")
        return self._connection
