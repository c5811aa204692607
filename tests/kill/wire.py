"""Keep-alive connections that cost little: the load is to work the server, not itself."""

import asyncio
import json
from base64 import b64encode
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

Answer = tuple[int, Any]


class Unanswered(Exception):
    """The server went away before its answer was whole: what was asked may have happened or not."""


class Connections:
    """As many keep-alive connections as requests are under way at once, spread over all processes of a server."""

    def __init__(self, url: str) -> None:
        self._where = urlsplit(url)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.asked = 0

    async def form(self, path: str, fields: dict[str, str], auth: tuple[str, str] | None = None) -> Answer:
        """Status and JSON of a POST of a form. Raises Unanswered."""
        return await self._post(path, "application/x-www-form-urlencoded", urlencode(fields).encode(), auth)

    async def json(self, path: str, body: dict[str, Any], auth: tuple[str, str]) -> Answer:
        """The same for a body of JSON."""
        return await self._post(path, "application/json", json.dumps(body).encode(), auth)

    async def _post(self, path: str, kind: str, body: bytes, auth: tuple[str, str] | None) -> Answer:
        head = f"POST {path} HTTP/1.1\r\nHost: {self._where.netloc}\r\n"
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        if auth:
            head += f"Authorization: Basic {b64encode(':'.join(auth).encode()).decode()}\r\n"
        self.asked += 1
        try:
            async with asyncio.timeout(60):
                return await self._exchanged(f"{head}\r\n".encode() + body)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            raise Unanswered(repr(error)) from None

    async def _exchanged(self, request: bytes) -> Answer:
        reader, writer = self._idle.pop() if self._idle else await self._opened()
        try:
            writer.write(request)
            status, length, kept = _told(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if kept:
            self._idle.insert(0, (reader, writer))
        else:
            writer.close()
        return status, json.loads(body) if body else None

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._where.hostname, self._where.port)

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _told(head: bytes) -> tuple[int, int, bool]:
    """Status, length of the body, and whether the connection may be used again."""
    lines = head.decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    return int(lines[0].split()[1]), int(headers.get("content-length", "0")), headers.get("connection") != "close"
