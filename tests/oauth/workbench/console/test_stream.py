"""The stream of the console: rows in order, as they come, until the reader has gone."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.row import Outcome, Row
from smartauth.asgi import application
from tests.conftest import App

PATH = "/dev/console/stream"


class Stream:
    """An open stream, read event by event."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.gone = asyncio.Event()
        self._text = ""

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.messages.put(message)

    async def status(self) -> int:
        return int((await self._next())["status"])

    async def event(self) -> tuple[str, str, str]:
        """The number, name and data of the next event; comments are passed over."""
        while True:
            while "\n\n" not in self._text:
                self._text += (await self._next())["body"].decode()
            found, _, self._text = self._text.partition("\n\n")
            if not found.startswith(":"):
                number, name, data = (line.partition(": ")[2] for line in found.split("\n"))
                return number, name, data

    async def rows(self, count: int) -> list[str]:
        """What the next rows are about; the numbers of the chips are passed over."""
        found: list[str] = []
        while len(found) < count:
            _, name, data = await self.event()
            if name == "row":
                found.append(data.partition('#request">')[2].partition("</a>")[0])
        return found

    async def _next(self) -> Any:
        return await asyncio.wait_for(self.messages.get(), 20)


@asynccontextmanager
async def stream(query: str = "after=0", *, method: str = "GET", **headers: str) -> AsyncIterator[Stream]:
    opened = Stream()
    lines = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "method": method, "path": PATH, "query_string": query.encode(), "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1:8000"), *lines],
    }  # fmt: skip
    task = asyncio.create_task(application(scope, opened.receive, opened.send))
    try:
        yield opened
    finally:
        opened.gone.set()
        await asyncio.wait_for(task, 20)


def add(what: str, outcome: Outcome = Outcome.LET_IN) -> None:
    buffer.add(Row(at=0, took=1, what=what, answer="200", outcome=outcome, head=what, status=200))


@pytest.fixture(autouse=True)
def _empty(app: App) -> Iterator[None]:
    app.get("/o/introspect")  # the server is open
    buffer.clear()
    yield
    buffer.clear()


def test_rows_come_in_order_also_those_of_other_threads(app: App) -> None:
    async def read() -> list[str]:
        add("first")
        async with stream(f"after={buffer.latest - 1}") as opened:
            assert await opened.status() == 200
            before = await opened.rows(1)
            for number in range(5):
                await asyncio.to_thread(add, f"thread {number}")
            return before + await opened.rows(5)

    assert app.run(read()) == ["first", *(f"thread {number}" for number in range(5))]


def test_it_goes_on_where_the_browser_lost_it(app: App) -> None:
    async def read() -> list[str]:
        for each in ("old", "seen", "missed"):
            add(each)
        async with stream(last_event_id=str(buffer.latest - 1)) as opened:
            await opened.status()
            return await opened.rows(1)

    assert app.run(read()) == ["missed"]


def test_the_filters_of_the_page_hold_and_the_chips_count_everything(app: App) -> None:
    async def read() -> tuple[list[str], dict[str, int]]:
        async with stream(f"after={buffer.latest}&answer=refused") as opened:
            await opened.status()
            add("let in")
            add("refused", Outcome.REFUSED)
            rows = await opened.rows(1)
            while (found := await opened.event())[1] != "counts":
                pass
            return rows, json.loads(found[2])

    rows, counts = app.run(read())

    assert rows == ["refused"]
    assert counts == {"all": 2, "refused": 1, "let-in": 1, "active": 0, "other": 0}


def test_a_row_is_one_line_and_what_others_sent_is_text(app: App) -> None:
    async def read() -> str:
        async with stream(f"after={buffer.latest}") as opened:
            await opened.status()
            add("<img src=x>\nevent: row\rid: 1\u2028")
            return (await opened.event())[2]

    html = app.run(read())

    assert html.startswith("<tr>")
    assert html.endswith("</tr>")
    assert "&lt;img src=x&gt; event: row id: 1" in html


def test_open_streams_are_bounded_and_hold_no_thread(app: App) -> None:
    async def read() -> tuple[int, int, int]:
        before = threading.active_count()
        opened = [stream() for _ in range(20)]
        for each in opened:
            await (await each.__aenter__()).status()
        held = threading.active_count() - before
        async with stream() as late:
            refused = await late.status()
        for each in opened:
            await each.__aexit__(None, None, None)
        async with stream() as again:
            return held, refused, await again.status()

    held, refused, again = app.run(read())

    assert held <= 8  # the writers, as many however many streams are open
    assert (refused, again) == (503, 200)


def test_nothing_but_get_is_answered(app: App) -> None:
    async def read() -> int:
        async with stream(method="POST") as opened:
            return await opened.status()

    assert app.run(read()) == 405
