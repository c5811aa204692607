"""`/dev/console/stream`, in development only: rows of the console as server-sent events (HTML §9.2).

On the event loop: an open stream holds no thread. It ends with its reader, or when the server stops.
"""

import asyncio
import json
from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import QueryDict
from django.template.loader import render_to_string

from oauth.http.asgi import Receive, Scope, Send
from oauth.http.connection import connection_of
from oauth.http.explanations import random_reference
from oauth.http.machine_response import MachineResponse, invalid_request, send_response
from oauth.http.writer_pool import writer_pool
from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.duties import with_duties
from oauth.workbench.console.filters import Filters
from oauth.workbench.console.people import with_people
from smart.http.errors import InvalidRequest

PATH = "/dev/console/stream"
MOST_STREAMS = 20
HEARTBEAT_SECONDS = 15.0
GATHER_SECONDS = 0.1  # what comes meanwhile is sent together
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


async def console_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """New rows that the filters of the URL show, and the numbers of the chips."""
    if scope["method"] != "GET":
        refusal = invalid_request(
            HTTPStatus.METHOD_NOT_ALLOWED, InvalidRequest("only GET is allowed here", rule="TK-01"), ("Allow", "GET")
        )
        await send_response(scope, send, refusal, random_reference())
        return
    news, loop = asyncio.Event(), asyncio.get_running_loop()
    wake = partial(loop.call_soon_threadsafe, news.set)
    if not buffer.subscribe(wake, MOST_STREAMS):
        await send_response(scope, send, MachineResponse(HTTPStatus.SERVICE_UNAVAILABLE), random_reference())
        return
    try:
        connection_of(scope).may_be_cut = True
        await _stream(scope, receive, send, news)
    finally:
        buffer.unsubscribe(wake)


async def _stream(scope: Scope, receive: Receive, send: Send, news: asyncio.Event) -> None:
    query, last = QueryDict(scope["query_string"]).dict(), dict(scope["headers"]).get(b"last-event-id", b"")
    filters, after = Filters.of(query), _number(last.decode("latin-1") or query.get("after", ""))
    gone = asyncio.create_task(_until_gone(receive))
    await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": _HEADERS})
    try:
        while not gone.done():
            news.clear()
            text, after = await writer_pool.run(partial(_new_events, filters, after))
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            await _wait(news, gone)
    finally:
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait(news: asyncio.Event, gone: "asyncio.Task[None]") -> None:
    """Until there is something to send, the reader has gone, or a proxy would think so."""
    fresh: asyncio.Task[Any] = asyncio.create_task(news.wait())
    await asyncio.wait({fresh, gone}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if fresh.done():
        await asyncio.wait({gone}, timeout=GATHER_SECONDS)
    fresh.cancel()


def _new_events(filters: Filters, after: int) -> tuple[str, int]:
    """What is sent now, and the number of the newest row in it; a comment where nothing is new."""
    every = with_duties(with_people(buffer.rows()))
    new = [row for row in every if row.number > after]
    if not new:
        return ": nothing new\n\n", after
    shown = [row for row in new if filters.shows(row)]
    events = [_event("row", " ".join(_row_html(row, filters).splitlines()), row.number) for row in shown]
    return "".join([*events, _event("counts", json.dumps(filters.counts(every)), new[-1].number)]), new[-1].number


def _row_html(row: object, filters: Filters) -> str:
    return render_to_string("console_row.html", {"row": row, "row_query": filters.query()}).strip()


def _event(name: str, data: str, number: int) -> str:
    return f"id: {number}\nevent: {name}\ndata: {data}\n\n"


def _number(text: str) -> int:
    """After which row; a stranger's text is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else buffer.latest
