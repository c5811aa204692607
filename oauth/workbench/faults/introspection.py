"""Introspection and decisions that misbehave on purpose, in development only: the right answer is made, another sent.

Nothing here holds a thread while it waits, and every wait ends.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from oauth.http.asgi import Receive, Scope, Send
from oauth.http.connection import connection_of
from oauth.http.endpoint import Endpoint, parsed_request
from oauth.workbench.faults.answers import (
    PIECE,
    Delivery,
    FaultyAnswer,
    changes_decisions,
    changes_gateways,
    faulty_answer,
    faulty_decision,
    faulty_gateway_answer,
)
from oauth.workbench.faults.switch import FAULT, current_fault, is_any_on

PATH = "/o/introspect"
DECISION_PATHS = ("/access/v1/evaluation", "/access/v1/evaluations")
GATEWAY_PATH = "/access/v1/gateway"
WAIT_SECONDS = 30.0
DRIP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class FaultyEndpoint:
    """Answers with this fault; without one, with that of the resource server that asks, if it meets one just now."""

    right: Endpoint
    fault: str = ""
    path: str = PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.fault and not is_any_on():
            await self.right(scope, receive, send)
            return
        asked: Scope = {**scope, "path": self.path, FAULT: self.fault}
        answer = _UnsentAnswer()
        await self.right(asked, receive, answer.keep)
        request = parsed_request(asked)
        fault = self.fault or (current_fault(request.credentials.client_id) if request else "")
        if not fault or not is_met(fault, self.path, answer.status):
            await answer.pass_on(send)
            return
        faulty = await asyncio.to_thread(self._faulty, fault, answer)
        await _Transmission(scope, receive, send, faulty).send_all()

    def _faulty(self, fault: str, answer: "_UnsentAnswer") -> FaultyAnswer:
        if self.path == GATEWAY_PATH:
            return faulty_gateway_answer(fault, answer.status, answer.headers, answer.body)
        return (faulty_answer if self.path == PATH else faulty_decision)(fault, answer.body)


def is_met(fault: str, path: str, status: int) -> bool:
    """Whether an answer of that status there can have the fault; who proves nothing hears so."""
    if path == GATEWAY_PATH:  # which hears of itself by 500, so that 401 and 403 are of the client
        return changes_gateways(fault) and status < HTTPStatus.INTERNAL_SERVER_ERROR
    is_one = path == PATH or (path in DECISION_PATHS and changes_decisions(fault))
    return is_one and status == HTTPStatus.OK


class _UnsentAnswer:
    """An answer that is not sent yet."""

    def __init__(self) -> None:
        self._messages: list[Any] = []

    async def keep(self, message: Any) -> None:
        self._messages.append(message)

    async def pass_on(self, send: Send) -> None:
        for message in self._messages:
            await send(message)

    @property
    def status(self) -> int:
        return int(self._messages[0]["status"])

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        lines = self._messages[0]["headers"]
        return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in lines)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self._messages[1:])


@dataclass(frozen=True, slots=True)
class _Transmission:
    """One faulty answer on its way."""

    scope: Scope
    receive: Receive
    to: Send
    answer: FaultyAnswer

    async def send_all(self) -> None:
        connection_of(self.scope).may_be_cut = True
        match self.answer.delivery:
            case Delivery.NO_ANSWER:
                await self._close()
            case Delivery.NO_HEAD:
                if await self._stays(WAIT_SECONDS):
                    await self._whole()
            case Delivery.HALF_THEN_STALL:
                rest = await self._half()
                if await self._stays(WAIT_SECONDS):
                    await self._piece(rest)
            case Delivery.HALF_THEN_CLOSE:
                await self._half()
                await self._close()
            case Delivery.DRIP:
                await self._drip()
            case _:
                await self._whole()

    async def _start(self) -> None:
        length = self.answer.blanks + len(self.answer.body)
        headers = [
            (b"content-type", self.answer.media_type.encode()),
            (b"cache-control", b"no-store"),
            *((name.encode(), value.encode()) for name, value in self.answer.headers),
        ]
        if self.answer.status != HTTPStatus.NO_CONTENT:
            headers.append((b"content-length", b"%d" % length))
        await self.to({"type": "http.response.start", "status": self.answer.status, "headers": headers})

    async def _piece(self, body: bytes, *, more: bool = False) -> None:
        await self.to({"type": "http.response.body", "body": body, "more_body": more})

    async def _whole(self) -> None:
        await self._start()
        for piece in _pieces(self.answer.blanks):
            await self._piece(piece, more=True)
        await self._piece(self.answer.body)

    async def _half(self) -> bytes:
        """Sends the first half, and returns the other one."""
        await self._start()
        half = len(self.answer.body) // 2
        await self._piece(self.answer.body[:half], more=True)
        return self.answer.body[half:]

    async def _drip(self) -> None:
        """A byte a second, and after half a minute the rest."""
        await self._start()
        for place in range(int(WAIT_SECONDS / DRIP_SECONDS)):
            await self._piece(self.answer.body[place : place + 1], more=True)
            if not await self._stays(DRIP_SECONDS):
                return
        await self._piece(self.answer.body[int(WAIT_SECONDS / DRIP_SECONDS) :])

    async def _close(self) -> None:
        """The connection is over, without a word more."""
        connection_of(self.scope).abort()
        await self._stays(WAIT_SECONDS)

    async def _stays(self, seconds: float) -> bool:
        """Whether the caller is still there after so long."""
        try:
            async with asyncio.timeout(seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return True
        return False


def _pieces(blanks: int) -> Iterator[bytes]:
    whole, rest = divmod(blanks, PIECE)
    piece = b" " * PIECE
    for _ in range(whole):
        yield piece
    yield piece[:rest]
