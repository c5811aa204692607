"""An answer in one piece: byte for byte what uvicorn writes, and everything unusual left to it."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from oauth.http.asgi import Receive, Scope, Send
from oauth.http.machine_response import MachineResponse, send_response
from smartauth.http_protocol import BoundedProtocol
from tests.smartauth.http_shapes import get
from tests.smartauth.test_http_protocol import Clock, Wire, run, turns

pytestmark = pytest.mark.one_engine

ANSWER = MachineResponse(200, b'{"active":false}')
OTHERS = [ANSWER, MachineResponse(400, b"{}"), MachineResponse(200)]


class CountedWire(Wire):
    """A transport that knows how many messages came by `send`."""

    messages = 0


class CountedCycle(RequestResponseCycle):
    """What uvicorn answers a request by; it counts what comes by its own `send`."""

    async def send(self, message: Any) -> None:
        cast(Any, self.transport).messages += 1
        await super().send(message)


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httptools_impl, "RequestResponseCycle", CountedCycle)


class Connection:
    """A connection on which each request gets that answer: in one piece, unless its `send` is wrapped."""

    def __init__(self, loop: Clock, answer: MachineResponse, *, is_wrapped: bool = False) -> None:
        self._answer, self._is_wrapped = answer, is_wrapped
        self.wire = CountedWire()
        self.go_on = asyncio.Event()
        self.go_on.set()
        application: Any = self._application
        config = uvicorn.Config(application, interface="asgi3", ws="none", log_config=None, access_log=False)
        state = ServerState()
        state.default_headers = [(b"date", b"Mon, 02 Mar 2026 10:00:00 GMT")]
        self.protocol = BoundedProtocol(config, state, {}, _loop=loop)
        self.protocol.connection_made(cast(Any, self.wire))

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def passed_on(message: Scope) -> None:
            await send(message)

        await self.go_on.wait()
        await send_response(scope, passed_on if self._is_wrapped else send, self._answer, "0123456789abcdef")

    async def sent(self, raw: bytes) -> bytes:
        """What is written after these bytes came."""
        before = len(self.wire.sent)
        self.protocol.data_received(raw)
        await turns(8)
        return self.wire.sent[before:]


@pytest.mark.parametrize("answer", OTHERS, ids=["200", "400", "empty"])
def test_it_is_to_the_byte_what_uvicorn_writes_and_the_next_request_is_answered_too(answer: MachineResponse) -> None:
    async def compared(loop: Clock) -> None:
        ours, theirs = Connection(loop, answer), Connection(loop, answer, is_wrapped=True)

        for _ in range(3):
            assert await ours.sent(get(b"/a")) == await theirs.sent(get(b"/a")) != b""

        assert (ours.wire.messages, theirs.wire.messages) == (0, 6)
        assert vars(ours.protocol.cycle).keys() == vars(theirs.protocol.cycle).keys()
        for name in ("response_started", "response_complete", "keep_alive", "disconnected", "waiting_for_100_continue"):
            assert getattr(ours.protocol.cycle, name) == getattr(theirs.protocol.cycle, name), name
        assert ours.protocol.server_state.total_requests == theirs.protocol.server_state.total_requests == 3

    run(compared)


def test_a_connection_on_which_nothing_follows_is_closed_after_a_while() -> None:
    async def waited(loop: Clock) -> None:
        connection = Connection(loop, ANSWER)
        await connection.sent(get(b"/a"))
        assert not connection.wire.closing

        loop.passed += connection.protocol.timeout_keep_alive + 0.1
        await turns(6)

        assert connection.wire.closing

    run(waited)


def _ask_twice(connection: Connection) -> bytes:
    connection.go_on.clear()
    asyncio.get_running_loop().call_soon(connection.go_on.set)
    return get(b"/a") + get(b"/b")


def _stop_reading(connection: Connection) -> bytes:
    connection.protocol.pause_writing()
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, connection.protocol.resume_writing)
    return get(b"/a")


UNUSUAL: dict[str, Callable[[Connection], bytes]] = {
    "HEAD": lambda _: b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.0": lambda _: b"GET /a HTTP/1.0\r\nHost: x\r\n\r\n",
    "the last one": lambda _: b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "another one follows": _ask_twice,
    "a client that does not read": _stop_reading,
}


@pytest.mark.parametrize("unusual", UNUSUAL)
def test_what_is_unusual_is_left_to_uvicorn(unusual: str) -> None:
    async def compared(loop: Clock) -> None:
        ours, theirs = Connection(loop, ANSWER), Connection(loop, ANSWER, is_wrapped=True)

        written = [await each.sent(UNUSUAL[unusual](each)) for each in (ours, theirs)]

        assert written[0] == written[1] != b""
        assert ours.wire.messages >= 2
        assert ours.wire.closing == theirs.wire.closing

    run(compared)


def test_nothing_is_written_for_a_client_that_has_gone() -> None:
    async def gone(loop: Clock) -> None:
        connection = Connection(loop, ANSWER)
        connection.go_on.clear()
        await connection.sent(get(b"/a"))
        connection.protocol.connection_lost(None)

        connection.go_on.set()
        await turns(4)

        assert connection.wire.sent == b""

    run(gone)


def test_an_answer_with_headers_of_its_own_goes_the_way_on_which_they_are_looked_through() -> None:
    async def refused(loop: Clock) -> None:
        connection = Connection(loop, MachineResponse(405, b"{}", (("Allow", "POST"),)))

        written = await connection.sent(get(b"/a"))

        assert b"\r\nallow: POST\r\n" in written
        assert connection.wire.messages == 2

    run(refused)


def test_each_connection_answers_for_itself() -> None:
    async def asked(loop: Clock) -> None:
        one, other = Connection(loop, ANSWER), Connection(loop, ANSWER)
        await one.sent(get(b"/a"))

        assert (bool(one.wire.sent), bool(other.wire.sent)) == (True, False)

    run(asked)
