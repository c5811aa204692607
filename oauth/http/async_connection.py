"""Connections to PostgreSQL on which the event loop asks and writes, without Django's cursors.

Imported at the first use: its driver is an extra, installed where a database is a PostgreSQL.
`SMARTAUTH_DATABASE_POOL_MODE=transaction` means that PgBouncer gives each transaction another server: there nothing is
prepared, and what is set holds for one transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

from oauth.http.postgresql_session import BEGIN, COMMIT, KEEPALIVES, TAKES_NO_WRITES, Asked

Unreachable = psycopg.OperationalError
# Of Django's parameters; a psycopg connection without Django's cursors takes no others.
_DJANGO_ALONE = {"cursor_factory", "context", "prepare_threshold", "server_side_binding"}


class AsyncConnection(psycopg.AsyncConnection[Any]):
    """One that never cancels a statement at the server: who gives up waiting closes it.

    A COMMIT waits for the synchronous standby. Cancelled, it would be done here and unknown there: what comes after
    would find it done and acknowledge it, and a failover would undo it.
    """

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # as psycopg has it
        self.pgconn.finish()


async def open_connection(set_up: Mapping[str, str]) -> AsyncConnection:
    """A connection of the main database, with these parameters of PostgreSQL set. Raises OperationalError."""
    found = connections["default"].get_connection_params()
    known = {name: value for name, value in found.items() if name not in _DJANGO_ALONE}
    prepared = None if is_pooled() else 0
    connection = await AsyncConnection.connect(**known, autocommit=True, prepare_threshold=prepared)
    if not is_pooled():
        try:
            await _refuse_standby(await connection.execute(*_set({**KEEPALIVES, **set_up}, for_transaction=False)))
        except BaseException:
            await connection.close()
            raise
    return connection


async def send(connection: AsyncConnection, set_up: Mapping[str, str], *asked: Asked) -> list[psycopg.AsyncCursor[Any]]:
    """Sends all of it at once and waits: one round trip. Outside BEGIN and COMMIT each is a transaction.

    Behind PgBouncer what begins no transaction gets one for all of it.
    """
    if is_pooled():
        return await _send_pooled(connection, set_up, asked)
    if len(asked) == 1:
        return [await connection.execute(*asked[0], binary=True)]
    return await _send_together(connection, asked)


def has_rows(cursor: psycopg.AsyncCursor[Any]) -> bool:
    """Whether its statement reads something; `description` would say so, too, of each column anew."""
    return cursor.pgresult is not None and cursor.pgresult.nfields > 0


def is_pooled() -> bool:
    return bool(settings.SMARTAUTH_DATABASE_POOL_MODE == "transaction")


async def _send_together(connection: AsyncConnection, asked: Sequence[Asked]) -> list[psycopg.AsyncCursor[Any]]:
    async with connection.pipeline():
        return [await connection.execute(text, values, binary=True) for text, values in asked]


async def _send_pooled(
    connection: AsyncConnection, set_up: Mapping[str, str], asked: Sequence[Asked]
) -> list[psycopg.AsyncCursor[Any]]:
    """Raises OperationalError where PgBouncer leads to a standby, which knows less than was acknowledged."""
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        return await _send_together(connection, asked)
    begins = asked[0] == BEGIN
    rest = asked[1:] if begins else (*asked, COMMIT)
    begun, was_set, *cursors = await _send_together(connection, (BEGIN, _set(set_up, for_transaction=True), *rest))
    await _refuse_standby(was_set)
    return [begun, *cursors] if begins else cursors[:-1]


async def _refuse_standby(was_set: psycopg.AsyncCursor[Any]) -> None:
    row = await was_set.fetchone()
    if row is None or row[0]:
        raise psycopg.OperationalError("the database takes no writes: it is a standby, or set to read only")


def _set(set_up: Mapping[str, str], *, for_transaction: bool) -> Asked:
    """One statement for all parameters. Its row begins with whether this server takes no writes."""
    parts = ", ".join(f"set_config('{name}', '{value}', {for_transaction})" for name, value in set_up.items())
    return f"SELECT {TAKES_NO_WRITES}, {parts}", ()  # our own texts
