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
        results: list[PGresult] = []
        socket = self._pgconn.socket  # a connection that broke has none
        self._loop.add_reader(socket, self._read, results, answer)
        try:
            while self._pgconn.flush():
                await self._until_writable(socket)
            return await answer
        finally:
            self._loop.remove_reader(socket)

    def _read(self, results: list[PGresult], answer: "asyncio.Future[PGresult]") -> None:
        """Reads what has come; the answer is there once the server says that nothing follows it."""
        try:
            self._pgconn.consume_input()
            while not answer.done() and not self._pgconn.is_busy():
                if result := self._pgconn.get_result():
                    results.append(result)
                elif results:
                    answer.set_result(results[-1])
                else:
                    raise psycopg.OperationalError("the database sent no result")
        except psycopg.Error as error:
            if not answer.done():
                answer.set_exception(error)

    async def _until_writable(self, socket: int) -> None:
        writable = asyncio.Event()
        self._loop.add_writer(socket, writable.set)
        try:
            await writable.wait()
        finally:
            self._loop.remove_writer(socket)
