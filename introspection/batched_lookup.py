"""Gathered look-ups: while one statement is under way requests gather, and the next statement reads them all.

It is sent a few turns of the loop late, so that those who have just been answered can join it.
"""

import asyncio
import itertools
import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from django.db import OperationalError, connections

from accounts import clock
from accounts.engine import is_on_postgresql
from introspection.token_lookup import POSTGRESQL, SQLITE, LookupRow
from oauth.http.gathering import TURNS
from oauth.http.per_loop import PerLoop
from oauth.http.postgresql_session import KEPT_PLANS
from smart.tokens.lifetimes import ends_of_live_tokens

if TYPE_CHECKING:
    from oauth.http.async_connection import AsyncConnection
    from oauth.http.prepared_statement import PreparedStatement

SECONDS = 5  # after which a database that has the statement counts as one that is away
TYPES = ("text[]", "text[]", "bigint", "bigint")  # of the values of POSTGRESQL
EVER = (-(2**63), 2**63 - 1)


class Waiting(NamedTuple):
    """A request that waits: the SHA-256 of the token, the caller's client id, and where the row goes."""

    digest: str
    caller: str
    found: "asyncio.Future[LookupRow]"


class Reader(Protocol):
    """Reads the rows of many requests in one statement, each with its position, counted from 1."""

    async def read(self, waiting: Sequence[Waiting]) -> Sequence[Sequence[Any]]: ...


class PostgreSQLReader:
    """One connection of its own, opened at the first use and again after it broke."""

    def __init__(self) -> None:
        from oauth.http import async_connection, prepared_statement  # their driver is an extra

        self._driver, self._statements = async_connection, prepared_statement.PreparedStatement
        self._connection: AsyncConnection | None = None
        self._statement: PreparedStatement | None = None

    async def read(self, waiting: Sequence[Waiting]) -> Sequence[Sequence[Any]]:
        if self._connection is not None:
            with suppress(OperationalError, self._driver.Unreachable):
                return await self._find(self._connection, waiting)
        self._connection, self._statement = await self._driver.open_connection(KEPT_PLANS), None
        return await self._find(self._connection, waiting)

    async def _find(self, connection: "AsyncConnection", waiting: Sequence[Waiting]) -> Sequence[Sequence[Any]]:
        """What is found among the tokens that may live, in one partition or two; the rest is sought among all."""
        rows = await self._rows(connection, waiting, *ends_of_live_tokens(clock.now()))
        left = [position for *_, position in filter(_is_without_token, rows)]
        if not left:
            return rows
        again = await self._rows(connection, [waiting[position - 1] for position in left], *EVER)
        found = [(*row, left[position - 1]) for *row, position in again]
        return [*itertools.filterfalse(_is_without_token, rows), *found]

    async def _rows(
        self, connection: "AsyncConnection", waiting: Sequence[Waiting], since: int, until: int
    ) -> Sequence[Sequence[Any]]:
        """One statement: of the tokens those that expire between the two."""
        values = (_array([w.digest for w in waiting]), _array([w.caller for w in waiting]), str(since), str(until))
        try:
            async with asyncio.timeout(SECONDS):
                rows = await self._ask(connection, values)
            if len(rows) != len(waiting):
                raise self._driver.Unreachable("the database takes no writes any more")
            return rows
        except BaseException as error:
            self._connection = None
            await connection.close()
            if isinstance(error, TimeoutError):
                raise OperationalError("the database took too long") from None
            raise

    async def _ask(self, connection: "AsyncConnection", values: Sequence[str]) -> list[tuple[Any, ...]]:
        if self._driver.is_pooled():
            (cursor,) = await self._driver.send(connection, KEPT_PLANS, (POSTGRESQL, values))
            return await cursor.fetchall()
        if self._statement is None:
            self._statement = await self._statements.prepare(connection, POSTGRESQL, TYPES)
        return await self._statement.rows(*values)


def _is_without_token(row: Sequence[Any]) -> bool:
    return row[0] is None


def _array(texts: Sequence[str]) -> str:
    """A PostgreSQL array as text; psycopg's own, element by element in Python, costs ten times as much."""
    together = "".join(texts)
    if "\\" in together or '"' in together:
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(texts) + '"}'


class SQLiteReader:
    """One thread with one connection, so that the loop never waits for the file."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._connection: sqlite3.Connection | None = None

    async def read(self, waiting: Sequence[Waiting]) -> Sequence[Sequence[Any]]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._rows, waiting)

    def _rows(self, waiting: Sequence[Waiting]) -> Sequence[Sequence[Any]]:
        if self._connection is None:
            name = connections["default"].settings_dict["NAME"]
            self._connection = sqlite3.connect(name, timeout=20, isolation_level=None)
        questions = json.dumps([[w.digest, w.caller] for w in waiting])
        return self._connection.execute(SQLITE, [questions]).fetchall()


class BatchedLookup:
    """Where requests wait for their row, on one event loop."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._loop = reader, asyncio.get_running_loop()
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def find(self, digest: str, caller: str) -> LookupRow:
        """The row for a token and its caller; what is not there reads None. Raises what the database raised."""
        found: asyncio.Future[LookupRow] = self._loop.create_future()
        self._waiting.append(Waiting(digest, caller, found))
        if self._task is None:
            self._task = self._loop.create_task(self._run())
        return await found

    async def _run(self) -> None:
        try:
            while self._waiting:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                batch, self._waiting = self._waiting, []
                await self._answer(batch)
        finally:
            self._task = None

    async def _answer(self, batch: list[Waiting]) -> None:
        try:
            for found in map(LookupRow._make, await self._reader.read(batch)):
                waiting = batch[found.position - 1]
                if not waiting.found.done():
                    waiting.found.set_result(found)
        except Exception as error:  # noqa: BLE001  # every request that waits must hear of it, whatever it is
            for waiting in batch:
                if not waiting.found.done():
                    waiting.found.set_exception(error)


def _lookup() -> BatchedLookup:
    return BatchedLookup(PostgreSQLReader() if is_on_postgresql() else SQLiteReader())


batched_lookup = PerLoop(_lookup)  # the look-ups of the running loop
