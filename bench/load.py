"""The load: keep-alive connections that each ask for one token after the other, and check every answer.

`python -m bench.load ASKED.json CONNECTIONS WARM-UP SECONDS` prints what it saw as JSON. Its starter pins it.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(slots=True)
class Seen:
    """What came back while it counted."""

    counting: bool = False
    waited: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way at a time."""

    def __init__(self, asked: list[tuple[bytes, str]], start: int, seen: Seen) -> None:
        self._asked, self._next, self._seen = asked, start, seen
        self._received = b""
        self._expected = ""
        self._sent_at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        request, self._expected = self._asked[self._next]
        self._next = (self._next + 1) % len(self._asked)
        self._sent_at = time.perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(HEAD_END)
        if not end or len(body) < _length(head):
            return
        waited = time.perf_counter_ns() - self._sent_at
        self._received = b""
        if not _right(head, body, self._expected):
            self._seen.wrong.append((head + end + body).decode("latin-1"))
        if self._seen.counting:
            self._seen.waited.append(waited)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._transport.is_closing():
            self._seen.wrong.append(f"the connection was lost: {exc}")


def _length(head: bytes) -> int:
    """The announced length of the body; an answer without one would not end, so it counts as wrong."""
    found = head.lower().partition(LENGTH)[2]
    return int(found.partition(b"\r\n")[0] or 0)


def _right(head: bytes, body: bytes, client_id: str) -> bool:
    """Whether this is a 200 that calls the token active and names the client that it was issued to."""
    if not head.startswith(b"HTTP/1.1 200 "):
        return False
    claims = json.loads(body)
    return claims["active"] is True and claims["client_id"] == client_id


def _requests(asked: dict[str, Any]) -> list[tuple[bytes, str]]:
    """The bytes of one request a token, and the client_id that its answer must name."""
    lines = (
        f"POST {asked['path']} HTTP/1.1\r\nHost: 127.0.0.1:{asked['port']}\r\n"
        f"Authorization: {asked['authorization']}\r\nAccept: application/json\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    )
    bodies = [(urlencode({"token": token}), client_id) for token, client_id in asked["tokens"]]
    return [(f"{lines}{len(body)}\r\n\r\n{body}".encode(), client_id) for body, client_id in bodies]


async def _load(asked: dict[str, Any], connections: int, warm_up: float, seconds: float) -> dict[str, Any]:
    requests, seen = _requests(asked), Seen()
    starts = [number * len(requests) // connections for number in range(connections)]
    loop, opened = asyncio.get_running_loop(), []
    for start in starts:
        connecting = loop.create_connection(partial(Connection, requests, start, seen), "127.0.0.1", asked["port"])
        opened.append((await connecting)[0])
    await asyncio.sleep(warm_up)
    seen.counting, began, cpu = True, time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    seen.counting, took, cpu = False, time.perf_counter() - began, time.process_time() - cpu
    for transport in opened:
        transport.close()
    return _summary(seen, took, cpu)


def _summary(seen: Seen, took: float, cpu: float) -> dict[str, Any]:
    waited = sorted(seen.waited) or [0]
    return {
        "requests": len(seen.waited),
        "seconds": took,
        "p50": waited[len(waited) // 2] / 1e6,
        "p99": waited[len(waited) * 99 // 100] / 1e6,
        "busy": cpu / took,
        "wrong": len(seen.wrong),
        "first_wrong": seen.wrong[:1],
    }


def main() -> None:
    file, connections, warm_up, seconds = sys.argv[1:]
    asked = json.loads(Path(file).read_text(encoding="utf-8"))
    print(json.dumps(uvloop.run(_load(asked, int(connections), float(warm_up), float(seconds)))))


if __name__ == "__main__":
    main()
