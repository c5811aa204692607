"""One statement on a connection of its own, past psycopg's cursors."""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
import uvloop

from tests.conftest import App

pytestmark = pytest.mark.postgresql

T = TypeVar("T")
TEXT = "SELECT length(array_to_string(%s::text[], '')), 1000 / %s, NULL, '%%'"
SLOW = "SELECT pg_sleep(600), %s::text[], %s::bigint"
TYPES = ("text[]", "bigint")


async def with_statement(work: Callable[[Any, Any], Awaitable[T]], text: str = TEXT) -> T:
    """What `work` makes of a statement and its connection."""
    from oauth.http.async_connection import open_connection
    from oauth.http.prepared_statement import PreparedStatement

    connection = await open_connection({})
    try:
        return await work(await PreparedStatement.prepare(connection, text, TYPES), connection)
    finally:
        await connection.close()


async def until_watched() -> None:
    """What was asked is sent, and the loop watches what comes."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_each_time_its_rows_are_read_as_python_values(app: App) -> None:
    async def asked(statement: Any, _: Any) -> list[Any]:
        return [await statement.rows("{a,bc}", "7"), await statement.rows("{}", "-1000")]

    assert app.run(with_statement(asked)) == [[(3, 142, None, "%")], [(0, -1, None, "%")]]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_values_that_no_buffer_holds_arrive_whole(app: App, loop: str) -> None:
    async def asked(statement: Any, _: Any) -> Any:
        return await statement.rows("{" + "x" * 20_000_000 + "}", "1")

    run = app.run if loop == "asyncio" else uvloop.run
    assert run(with_statement(asked)) == [(20_000_000, 1000, None, "%")]


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
    async def given_up(statement: Any, connection: Any) -> tuple[bool, bool, bool]:
        task = asyncio.ensure_future(statement.rows("{" + "x" * 20_000_000 + "}", "1"))
        await asyncio.sleep(0)
        waits_to_write = connection.fileno() in writers()
        task.cancel()
        await asyncio.wait([task])
        loop = asyncio.get_running_loop()
        return waits_to_write, loop.remove_reader(connection.fileno()), loop.remove_writer(connection.fileno())

    def writers() -> list[int]:
        watched: Any = asyncio.get_running_loop()
        return [key.fd for key in watched._selector.get_map().values() if key.data[1]]

    assert app.run(with_statement(given_up)) == (True, False, False)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(1))
    writer.close()


@pytest.mark.requirement("E114")
def test_who_is_accepted_in_the_moment_in_which_the_connection_breaks_is_served_and_the_break_is_told(app: App) -> None:
    """libpq closes its socket while it reads, and the next connection that the loop accepts gets its number."""
    from oauth.http.async_connection import Unreachable

    async def broken(statement: Any, connection: Any) -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        asked = asyncio.ensure_future(statement.rows("{}", "1"))
        await until_watched()
        own = socket.socket(fileno=os.dup(connection.fileno()))
        own.shutdown(socket.SHUT_RD)  # while the loop stands still, which then hears of this and of the client at once
        own.close()
        client = socket.create_connection(server.sockets[0].getsockname(), timeout=30)
        with pytest.raises(Unreachable):
            await asyncio.wait_for(asked, 30)
        client.sendall(b"x")
        answer = await asyncio.to_thread(client.recv, 1)
        client.close()
        server.close()
        return answer

    assert [uvloop.run(with_statement(broken, SLOW)) for _ in range(5)] == [b"x"] * 5


FATAL = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"


class DyingServer:
    """Speaks PostgreSQL's protocol just far enough to be asked once."""

    def __init__(self) -> None:
        self._listens = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listens.getsockname()[1]
        self._was_asked = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        self._client, _ = self._listens.accept()
        while self._client.recv(65536)[4:8] == struct.pack("!I", 80877103):  # may it be TLS? No.
            self._client.sendall(b"N")
        self._client.sendall(_message(b"R", bytes(4)) + _message(b"Z", b"I"))
        self._client.recv(65536)
        self._client.sendall(_message(b"C", b"PREPARE\0") + _message(b"Z", b"I"))
        self._client.recv(65536)
        self._was_asked.set()

    def die(self) -> None:
        """Why, and then a reset: its client has both when this returns."""
        assert self._was_asked.wait(30)
        self._client.sendall(_message(b"E", FATAL))
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._client.close()
        self._listens.close()


def _message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content


@pytest.mark.requirement("E114")
def test_a_server_that_says_why_it_ends_and_resets_the_connection_is_away_at_once(app: App) -> None:
    """libuv tells of both together, once."""
    from oauth.http.async_connection import AsyncConnection, Unreachable
    from oauth.http.prepared_statement import PreparedStatement

    server = DyingServer()

    async def ended() -> None:
        url = f"postgresql://smartauth@127.0.0.1:{server.port}/any"
        connection = await AsyncConnection.connect(url, autocommit=True, sslmode="disable", gssencmode="disable")
        statement = await PreparedStatement.prepare(connection, TEXT, TYPES)
        asked = asyncio.ensure_future(statement.rows("{}", "1"))
        await until_watched()
        server.die()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(asked, 30)
        await connection.close()

    uvloop.run(ended())
