"""One statement on a connection of its own, past psycopg's cursors."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from tests.conftest import App

pytestmark = pytest.mark.postgresql

T = TypeVar("T")
TEXT = "SELECT length(array_to_string(%s::text[], '')), 1000 / %s, NULL, '%%'"
TYPES = ("text[]", "bigint")


async def with_statement(work: Callable[[Any, Any], Awaitable[T]]) -> T:
    """What `work` makes of a statement and its connection."""
    from oauth.http.async_connection import open_connection
    from oauth.http.prepared_statement import PreparedStatement

    connection = await open_connection({})
    try:
        return await work(await PreparedStatement.prepare(connection, TEXT, TYPES), connection)
    finally:
        await connection.close()


def test_each_time_its_rows_are_read_as_python_values(app: App) -> None:
    async def asked(statement: Any, _: Any) -> list[Any]:
        return [await statement.rows("{a,bc}", "7"), await statement.rows("{}", "-1000")]

    assert app.run(with_statement(asked)) == [[(3, 142, None, "%")], [(0, -1, None, "%")]]


def test_values_that_no_buffer_holds_arrive_whole(app: App) -> None:
    async def asked(statement: Any, _: Any) -> Any:
        return await statement.rows("{" + "x" * 20_000_000 + "}", "1")

    assert app.run(with_statement(asked)) == [(20_000_000, 1000, None, "%")]


def test_what_the_database_refuses_is_raised_and_the_next_question_is_answered(app: App) -> None:
    from psycopg.errors import DivisionByZero

    async def asked(statement: Any, _: Any) -> Any:
        with pytest.raises(DivisionByZero):
            await statement.rows("{}", "0")
        return await statement.rows("{}", "2")

    assert app.run(with_statement(asked)) == [(0, 500, None, "%")]


def test_a_connection_that_the_server_ended_is_said_to_be_away(app: App) -> None:
    from oauth.http.async_connection import Unreachable, open_connection

    async def asked(statement: Any, connection: Any) -> None:
        other = await open_connection({})
        await other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        await other.close()
        for _ in range(2):
            with pytest.raises(Unreachable):
                await statement.rows("{}", "1")

    app.run(with_statement(asked))


def test_who_gives_up_waiting_leaves_nothing_that_watches_the_connection(app: App) -> None:
    import asyncio

    async def given_up(statement: Any, connection: Any) -> bool:
        task = asyncio.ensure_future(statement.rows("{}", "1"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return asyncio.get_running_loop().remove_reader(connection.fileno())

    assert app.run(with_statement(given_up)) is False
