"""A connection to PostgreSQL on which the event loop writes, opened at the first use and after each failure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oauth.http.async_connection import AsyncConnection

Asked = tuple[str, Sequence[Any]]
BEGIN: Asked = ("BEGIN", ())
COMMIT: Asked = ("COMMIT", ())
# of a standby, and of a primary that was put aside: what they know may be old
TAKES_NO_WRITES = "(pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool)"
# asked of the server, so that what a machine that vanished has locked is free soon; behind PgBouncer nobody can ask
KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
KEPT_PLANS = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    # Few rows out of large tables, each by its index, in the order in which a statement names the tables. The planner
    # guesses a hundred rows for every list of values, and reads whole tables for them; a plan that was made while a
    # table or a partition was empty is kept while it fills.
    "join_collapse_limit": "1",
    "from_collapse_limit": "1",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "enable_material": "off",
    "enable_memoize": "off",
}
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
