"""Whether a token is ever called active after its revocation was acknowledged, on whichever process is asked.

Each of 16 connections issues, introspects, revokes and introspects, over and over. Others ask about the same tokens
meanwhile, over connections of their own, which other processes answer; they go on a while after the revocation.
"""

import asyncio
import json
import math
import random
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvloop

from bench.contenders import Contender, basic, children, cpu_of

CYCLES = 100_000
CYCLING, WATCHING, PROCESSES = 16, 16, 4
REMEMBERED = 2 * CYCLING  # the newest tokens, each still asked about for a cycle after its end
QUESTIONS = 200  # over one connection of those who watch
SHOWN = 5
RESOURCE_SERVER = basic("resource-server")


@dataclass(slots=True)
class Token:
    """A token and what is certain about it."""

    text: str
    is_ending: bool = False
    dead_since: float = math.inf


@dataclass
class Record:
    """The newest tokens, and what was answered about them."""

    newest: deque[Token] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    wrong: list[str] = field(default_factory=list)
    cycles: int = 0
    asked: int = 0
    asked_after_the_end: int = 0

    def heard(self, token: Token, *, active: bool, asked_at: float, who: str) -> None:
        """Compares an answer with what was certain when it was asked for, and still is."""
        self.asked += 1
        if token.dead_since <= asked_at:
            self.asked_after_the_end += 1
            if active:
                late = 1000 * (asked_at - token.dead_since)
                self.wrong.append(
                    f"active, asked {late:.1f} ms after its revocation was acknowledged, by {who}: {token.text}"
                )
        elif not active and not token.is_ending:
            self.wrong.append(f"inactive although nobody had revoked it, asked by {who}: {token.text}")


class Connection:
    """One keep-alive connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def post(self, path: str, form: dict[str, str], authorization: str) -> Any:
        """The body of a 200, read as JSON; None where it is empty. Raises RuntimeError for another status."""
        body = urlencode(form)
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: {authorization}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200 "):
            raise RuntimeError(f"{path}: {(head + answer).decode()}")
        return json.loads(answer) if answer else None

    def close(self) -> None:
        self._writer.close()


@dataclass
class Staleness:
    """Cycles and watchers on one server, until so many cycles were done."""

    contender: Contender
    cycles: int
    record: Record = field(default_factory=Record)

    async def run(self) -> Record:
        cycling = [asyncio.create_task(self._cycle(number)) for number in range(CYCLING)]
        watching = [asyncio.create_task(self._watch()) for _ in range(WATCHING)]
        try:
            await asyncio.gather(*cycling, *watching)
        finally:
            for task in (*cycling, *watching):
                task.cancel()
        return self.record

    @property
    def _is_over(self) -> bool:
        return self.record.cycles >= self.cycles or bool(self.record.wrong)

    async def _cycle(self, number: int) -> None:
        record, authorization = self.record, basic(f"service-{number}")
        connection = await Connection(self.contender.port).open()
        while not self._is_over:
            record.cycles += 1
            form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
            issued = await connection.post(self.contender.token_path, form, authorization)
            token = Token(issued["access_token"])
            record.newest.append(token)
            await self._introspect(connection, token, "the connection that issued it")
            token.is_ending = True
            await connection.post(self.contender.revocation_path, {"token": token.text}, authorization)
            token.dead_since = time.monotonic()
            await self._introspect(connection, token, "the connection that revoked it")
        connection.close()

    async def _watch(self) -> None:
        """Over a new connection now and then: the process that is least busy takes it."""
        while not self._is_over:
            connection = await Connection(self.contender.port).open()
            for _ in range(QUESTIONS):
                if self.record.newest and not self._is_over:
                    await self._introspect(connection, random.choice(self.record.newest), "another connection")
            connection.close()

    async def _introspect(self, connection: Connection, token: Token, who: str) -> None:
        asked_at = time.monotonic()
        answer = await connection.post(self.contender.path, {"token": token.text}, RESOURCE_SERVER)
        self.record.heard(token, active=answer["active"], asked_at=asked_at, who=who)


def print_staleness(contender: Contender, cycles: int) -> None:
    """Runs and says what came of it. Raises SystemExit where an answer was wrong."""
    before = _cpu_of_each(contender)
    began = time.monotonic()
    record = uvloop.run(Staleness(contender, cycles).run())
    took = time.monotonic() - began
    worked = [seconds - before.get(pid, 0) for pid, seconds in _cpu_of_each(contender).items()]
    shares = ", ".join(f"{seconds:.1f}" for seconds in sorted(worked, reverse=True)[:PROCESSES])
    print(
        f"{record.cycles:,} cycles in {took:.0f} s on {PROCESSES} processes (CPU seconds of each: {shares}); "
        f"{record.asked:,} introspections, {record.asked_after_the_end:,} of them asked after the revocation "
        f"was acknowledged; wrong answers: {len(record.wrong)}"
    )
    if record.wrong:
        sys.exit("\n".join(record.wrong[:SHOWN]))


def _cpu_of_each(contender: Contender) -> dict[int, float]:
    return {pid: cpu_of(pid) for pid in children(contender.process.pid)}
