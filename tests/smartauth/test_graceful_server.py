"""The end of a server: who waits is answered, as files come free where few are left; who comes later is refused."""

import asyncio
import os
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn
import uvloop

from smartauth.graceful_server import GracefulServer, let_nobody_in
from smartauth.http_protocol import BoundedProtocol

pytestmark = pytest.mark.one_engine
WAITING = 6
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"it"})


@contextmanager
def files_left(number: int) -> Iterator[None]:
    """The process can open so many more."""
    free = os.dup(0)
    os.close(free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("files", [2, 100])
def test_who_waits_at_the_end_is_answered_with_the_files_that_others_leave(files: int) -> None:
    async def scene() -> list[bytes]:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, http=BoundedProtocol, lifespan="off", log_level="error",
            timeout_graceful_shutdown=10,
        )  # fmt: skip
        config.load()
        server = GracefulServer(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        address = server.servers[0].sockets[0].getsockname()
        with ExitStack() as open_ones:
            callers = [open_ones.enter_context(socket.create_connection(address, 10)) for _ in range(WAITING)]
            for caller in callers:
                caller.sendall(REQUEST)  # the event loop has accepted none of them yet
            with files_left(files):
                await server.shutdown()
            heard = [caller.recv(1000) for caller in callers]
        await asyncio.sleep(0)
        return heard

    assert [answer.partition(b"\r\n")[0] for answer in uvloop.run(scene())] == [b"HTTP/1.1 200 OK"] * WAITING


def test_who_came_before_the_end_is_served_and_who_comes_later_is_refused_and_not_reset() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    address = listening.getsockname()
    early = socket.create_connection(address)

    let_nobody_in(listening)
    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(socket.create_connection, address, 30)
        accepted, _ = listening.accept()
        accepted.setblocking(True)
        early.sendall(b"asked")
        asked = accepted.recv(5)
        with pytest.raises(TimeoutError):
            late.result(0.5)
        with pytest.raises(BlockingIOError):
            listening.accept()
        listening.close()
        with pytest.raises(ConnectionRefusedError):
            late.result(30)

    assert asked == b"asked"
    early.close()
    accepted.close()
