"""One statement that is asked all the time, on a connection of its own: by psycopg's `pq`, without its cursors.

A cursor makes a query and its loaders anew each time, which took a third of what reading a batch of look-ups costs.
Imported at the first use, as `async_connection` is.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from oauth.http.async_connection import AsyncConnection
from oauth.models.sql import numbered

_NAME = "prepared"


class PreparedStatement:
    """One asks at a time. Who gives up waiting closes the connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._pgconn, self._loop = connection.pgconn, asyncio.get_running_loop()
        self._transformer = Transformer(connection)
        self._knows_columns = False
        self._watched: int | None = None

    @classmethod
    async def prepare(cls, connection: AsyncConnection, text: str, types: Sequence[str]) -> Self:
        """The statement with `%s` for each of its values, as PostgreSQL plans it once. Not for PgBouncer."""
        await connection.execute(f"PREPARE {_NAME} ({', '.join(types)}) AS {numbered(text)}".encode())
        return cls(connection)

    async def rows(self, *values: str) -> list[tuple[Any, ...]]:
        """Its rows for these values, each written as PostgreSQL reads it. Raises psycopg.Error."""
        sent = [value.encode() for value in values]
        self._pgconn.send_query_prepared(_NAME.encode(), sent, result_format=Format.BINARY)
        result = await self._result()
        if result.status != ExecStatus.TUPLES_OK:
            raise psycopg.errors.error_from_result(result)
        self._transformer.set_pgresult(result, set_loaders=not self._knows_columns)
        self._knows_columns = True
        return self._transformer.load_rows(0, result.ntuples, tuple)

    async def _result(self) -> PGresult:
        answer: asyncio.Future[PGresult] = self._loop.create_future()
        self._watch([], answer)
        try:
            return await answer
        finally:
            self._watch_no_more()

    def _watch(self, results: list[PGresult], answer: "asyncio.Future[PGresult]") -> None:
        """For one event. libpq closes the socket of a connection that broke, whose number the next gets that the loop
        accepts; libuv tells of an error once, when there may still be something to read before it.
        """
        waits_to_write = self._pgconn.flush()
        self._watched = self._pgconn.socket  # a connection that broke has none
        self._loop.add_reader(self._watched, self._go_on, results, answer)
        if waits_to_write:
            self._loop.add_writer(self._watched, self._go_on, results, answer)

    def _watch_no_more(self) -> None:
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._loop.remove_writer(self._watched)
            self._watched = None

    def _go_on(self, results: list[PGresult], answer: "asyncio.Future[PGresult]") -> None:
        """Reads what has come; the answer is there once the server says that nothing follows it."""
        self._watch_no_more()
        try:
            self._pgconn.consume_input()
            while not answer.done() and not self._pgconn.is_busy():
                if result := self._pgconn.get_result():
                    results.append(result)
                elif results:
                    answer.set_result(results[-1])
                else:
                    raise psycopg.OperationalError("the database sent no result")
            if not answer.done():
                self._watch(results, answer)
        except Exception as error:  # noqa: BLE001  # also a loop that cannot watch it: who waits must hear of it
            if not answer.done():
                answer.set_exception(error)
