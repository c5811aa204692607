"""The HTTP protocol without a socket: every shape, cut in many ways, and every wait, by a clock that the test moves."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterator, MutableMapping
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from oauth.http.connection import connection_of, write_whole_answer
from smartauth.http_protocol import BoundedProtocol
from tests.smartauth.http_shapes import ORDINARY, SHAPES, Shape, get, in_chunks, shown, with_length

pytestmark = pytest.mark.one_engine

Message = MutableMapping[str, Any]


class Application:
    """Notes what it gets. `/early` answers before it reads, `/slow` after a while, others not at all.

    It answers in two messages, or in one piece where the connection can.
    """

    def __init__(self, *, in_one_piece: bool = False) -> None:
        self._in_one_piece = in_one_piece
        self.seen: list[tuple[str, str, str]] = []
        self.header_names: set[str] = set()

    async def __call__(self, scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        self.header_names |= {name.decode("latin-1") for name, _ in scope["headers"]}
        body = b"" if scope["path"] == "/early" else await self._body(receive)
        if body is None:
            return
        if scope["path"] == "/slow":
            for _ in range(20):
                await asyncio.sleep(0)
        connection_of(scope).may_be_cut = scope["path"] == "/endless"
        if scope["path"] in ("/never", "/endless"):
            await asyncio.Event().wait()
        self.seen.append((scope["method"], scope["path"], shown(body)))
        if self._in_one_piece and write_whole_answer(scope, send, 200, b"content-length: 0\r\n", b""):
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _body(self, receive: Callable[[], Any]) -> bytes | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += bytes(message.get("body", b""))
            if not message.get("more_body"):
                return body


class Wire:
    """A transport without a socket."""

    def __init__(self) -> None:
        self.sent = b""
        self.closing = self.ended = False

    def write(self, data: bytes) -> None:
        assert not self.ended, "written after the end"
        if not self.closing:
            self.sent += data

    def close(self) -> None:
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_extra_info(self, name: str, default: object = None) -> object:
        return {"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)}.get(name, default)

    @property
    def is_over(self) -> bool:
        return self.closing or self.ended

    @property
    def statuses(self) -> list[int]:
        """Of the answers so far; ours have no body but those of refusals."""
        return [int(line[:3]) for line in self.sent.split(b"HTTP/1.1 ")[1:] if not line.startswith(b"1")]


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time the test moves."""

    passed = 0.0

    def time(self) -> float:
        return super().time() + self.passed


class Connection:
    """One connection to an application of its own."""

    def __init__(self, loop: Clock, state: ServerState | None = None, *, in_one_piece: bool = False) -> None:
        self.application, self.wire, self.loop = Application(in_one_piece=in_one_piece), Wire(), loop
        config = uvicorn.Config(cast(Any, self.application), ws="none", log_config=None, access_log=False)
        self.protocol = BoundedProtocol(config, state or ServerState(), {}, _loop=loop)
        self.protocol.connection_made(cast(Any, self.wire))

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.wire.is_over:
                self.protocol.data_received(piece)
            await turns(1)

    async def wait(self, seconds: float) -> None:
        self.loop.passed += seconds
        await turns(6)

    async def settle(self, shape: Shape) -> None:
        """Until the answers are there, or the end, and then some."""
        for _ in range(400):
            if self.wire.is_over or (len(self.wire.statuses) >= len(shape.statuses) and not shape.closed):
                break
            await turns(1)
        await turns(6)
        self.protocol.connection_lost(None)
        await turns(2)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def run(work: Callable[[Clock], Coroutine[Any, Any, None]]) -> None:
    loop = Clock()
    try:
        loop.run_until_complete(work(loop))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=5))
        loop.close()


def ways_to_cut(shape: Shape) -> Iterator[list[bytes]]:
    """Whole, byte by byte, in two at every place, in five at random."""
    raw = shape.raw
    if shape.whole:
        for size in (256 * 1024, max(1, len(raw) // 20), 1448):
            yield [raw[start : start + size] for start in range(0, len(raw), size)]
        return
    yield [raw]
    yield [raw[at : at + 1] for at in range(len(raw))]
    for at in range(1, len(raw)):
        yield [raw[:at], raw[at:]]
    chance = random.Random(raw)  # the same cuts in every run
    for _ in range(50):
        marks = sorted(chance.sample(range(1, len(raw)), 4))
        yield [raw[start:end] for start, end in zip([0, *marks], [*marks, len(raw)], strict=True)]


@pytest.mark.requirement("SD-20", "SD-27", "TV-30")
@pytest.mark.parametrize("in_one_piece", [False, True], ids=["two messages", "one piece"])
@pytest.mark.parametrize("name", SHAPES)
def test_each_request_arrives_once_with_its_own_body_however_the_bytes_are_cut(name: str, in_one_piece: bool) -> None:
    shape = SHAPES[name]

    async def sent(loop: Clock) -> None:
        for pieces in ways_to_cut(shape):
            connection = Connection(loop, in_one_piece=in_one_piece)
            await connection.send(*pieces)
            await connection.settle(shape)
            cut = [len(piece) for piece in pieces[:6]]
            assert connection.application.seen == shape.seen[: len(connection.application.seen)], cut
            if connection.wire.statuses not in shape.also:
                assert connection.wire.statuses == shape.statuses, cut
                assert connection.application.seen == shape.seen, cut
            assert connection.wire.is_over or not shape.closed, cut
            assert shape.never not in connection.application.header_names, cut

    run(sent)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /a HTTP/1.1\r\nX: ", b"\r\n", b"POST /a HTTP/1.1\r\nConnection: upgrade\r\n"]
)
def test_a_head_has_ten_seconds_from_the_connection(sent: bytes) -> None:
    async def waited(loop: Clock) -> None:
        connection = Connection(loop)
        await connection.send(*([sent] if sent else []))
        await connection.wait(9.9)
        assert not connection.wire.is_over

        await connection.wait(0.2)

        assert connection.wire.is_over
        assert connection.wire.statuses == ([408] if sent else [])

    run(waited)


def test_a_later_head_has_ten_seconds_from_its_first_byte() -> None:
    async def waited(loop: Clock) -> None:
        connection = Connection(loop)
        connection.protocol.timeout_keep_alive = 1000
        await connection.send(get(b"/a"))
        await connection.wait(15)
        await connection.send(b"GET /b HTTP/1.1\r\n")
        for _ in range(9):
            await connection.wait(1)
            await connection.send(b"X: 1\r\n")
        assert connection.wire.statuses == [200]

        await connection.wait(1.1)

        assert connection.wire.statuses == [200, 408]
        assert connection.wire.is_over

    run(waited)


def test_a_body_has_a_minute_more() -> None:
    async def waited(loop: Clock) -> None:
        connection = Connection(loop)
        await connection.send(b"POST /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(69):
            await connection.wait(1)
            await connection.send(b"x")
        assert not connection.wire.is_over

        await connection.wait(1.1)

        assert connection.wire.statuses == [408]
        assert connection.application.seen == []

    run(waited)


def test_a_client_that_reads_nothing_of_its_answer_for_a_minute_is_cut_off() -> None:
    async def waited(loop: Clock) -> None:
        connection, reader = Connection(loop), Connection(loop)
        for each in (connection, reader):
            await each.send(with_length(b"/never"))
            each.protocol.pause_writing()
        await connection.wait(55)
        reader.protocol.resume_writing()
        assert not connection.wire.is_over

        await connection.wait(16)

        assert connection.wire.closing
        assert not reader.wire.is_over
        connection.protocol.resume_writing()  # so that what waits for it can end

    run(waited)


def test_a_slow_answer_is_never_cut_off_by_the_clock() -> None:
    async def waited(loop: Clock) -> None:
        connection = Connection(loop)
        await connection.send(with_length(b"/never"))

        await connection.wait(3600)

        assert not connection.wire.is_over

    run(waited)


@pytest.mark.parametrize(("path", "is_cut"), [(b"/never", False), (b"/endless", True)])
def test_a_server_that_stops_waits_for_answers_unless_they_have_no_end(path: bytes, is_cut: bool) -> None:
    async def stopped(loop: Clock) -> None:
        connection = Connection(loop)
        await connection.send(with_length(path))
        await turns(2)

        connection.protocol.shutdown()

        assert connection.wire.closing is is_cut

    run(stopped)


@pytest.mark.parametrize(
    "kept", [pytest.param(ORDINARY["a length"].raw, id="length"), pytest.param(in_chunks(b"/a", b"abc"), id="chunks")]
)
def test_a_kept_connection_that_is_used_now_and_then_is_never_refused(kept: bytes) -> None:
    async def waited(loop: Clock) -> None:
        connection = Connection(loop)
        connection.protocol.timeout_keep_alive = 1000
        for _ in range(20):
            await connection.send(kept[:20], kept[20:])
            await turns(4)
            await connection.wait(9)

        assert connection.wire.statuses == [200] * 20
        assert not connection.wire.is_over

    run(waited)


def test_a_refusal_lingers_for_a_second_so_that_it_is_read() -> None:
    async def refused(loop: Clock) -> None:
        connection = Connection(loop)
        await connection.send(b"nonsense\r\n\r\n")
        assert (connection.wire.statuses, connection.wire.ended, connection.wire.closing) == ([400], True, False)

        connection.protocol.data_received(get(b"/smuggled"))
        await connection.wait(1.1)

        assert connection.wire.closing
        assert connection.application.seen == []

    run(refused)


def test_a_connection_over_the_limit_gets_503_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "connection_limit", 2)

    async def crowded(loop: Clock) -> None:
        state = ServerState()
        first, second, third = (Connection(loop, state) for _ in range(3))
        assert (third.wire.statuses, third.wire.closing) == ([503], True)

        third.protocol.connection_lost(None)
        await second.send(get(b"/a"))
        await first.wait(10.1)
        first.protocol.connection_lost(None)
        fourth = Connection(loop, state)

        assert second.wire.statuses == [200]
        assert first.wire.closing
        assert not fourth.wire.is_over

    run(crowded)


def test_a_crowd_writes_one_warning_a_minute(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(BoundedProtocol, "connection_limit", 0)
    monkeypatch.setattr(BoundedProtocol, "last_warning", -100.0)

    async def crowded(loop: Clock) -> None:
        with caplog.at_level(logging.INFO, "uvicorn.error"):
            for _ in range(50):
                Connection(loop)

    run(crowded)

    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == [
        "0 connections are open (SMARTAUTH_CONNECTIONS): new ones are refused"
    ]


def test_more_than_a_hundred_pipelined_requests_end_the_connection_after_the_answers_that_are_owed() -> None:
    async def flooded(loop: Clock) -> None:
        connection = Connection(loop)

        await connection.send(get(b"/slow") + get(b"/a") * 5000)
        await turns(600)

        assert connection.wire.statuses == [200] * 101
        assert connection.wire.is_over
        assert len(connection.application.seen) == 101

    run(flooded)


def test_what_is_kept_of_an_endless_head_stays_under_the_limit() -> None:
    async def endless(loop: Clock) -> None:
        connection = Connection(loop)

        await connection.send(b"POST /a HTTP/1.1\r\n", *[b"a:b\r\n" * 1000] * 100)

        assert connection.wire.statuses == [431]
        assert len(connection.protocol.headers) <= 100

    run(endless)
