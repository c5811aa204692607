"""A connection to PostgreSQL on which the event loop writes, opened at the first use and after each failure."""

from typing import TYPE_CHECKING, Any

from oauth.http.postgresql_session import KEPT_PLANS, Asked

if TYPE_CHECKING:
    from oauth.http.async_connection import AsyncConnection

_SET_UP = {
    **KEPT_PLANS,
    # a batch that waits, or that a stopped process left, stops nobody for long
    "lock_timeout": "300ms",
    "statement_timeout": "3s",
    "idle_in_transaction_session_timeout": "3s",
}


class Lane:
    """One connection: what is asked of it together costs one round trip."""

    def __init__(self) -> None:
        self._connection: AsyncConnection | None = None

    async def run(self, *asked: Asked) -> list[list[tuple[Any, ...]]]:
        """The rows of each statement, all of them sent at once. Outside BEGIN and COMMIT each is a transaction."""
        from oauth.http.async_connection import has_rows, send  # its driver is an extra

        cursors = await send(await self._opened(), _SET_UP, *asked)
        return [await cursor.fetchall() if has_rows(cursor) else [] for cursor in cursors]

    async def close(self) -> None:
        """Ends the connection, and with it what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _opened(self) -> "AsyncConnection":
        if self._connection is None or self._connection.closed:
            from oauth.http.async_connection import open_connection

            self._connection = await open_connection(_SET_UP)
        return self._connection
