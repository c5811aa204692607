"""Requests that arrive at one moment, so that they are one batch, and what the batch runs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import psycopg
import pytest

from oauth.http import gathering
from oauth.http.lane import Lane
from oauth.http.postgresql_session import Asked
from tests.conftest import App

Posted = dict[str, Any]


class Together:
    """Sends requests at one moment; `round_trips` are the statements of each since then, by their first words."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        app.get("/o/introspect")  # a process checks the database before it answers: what comes meanwhile is refused
        self._app, self._patch = app, monkeypatch
        self.round_trips: list[list[str]] = []
        self._run = Lane.run
        monkeypatch.setattr(gathering, "TURNS", 300)
        self.watch(lambda asked: None)

    def watch(
        self, before: Callable[[tuple[Asked, ...]], None], after: Callable[[str], None] = lambda text: None
    ) -> None:
        """Calls `before` with what is about to be sent, and `after` with the last of it once that is done."""
        run = self._run

        async def watched(lane: Lane, *asked: Asked) -> Any:
            self.round_trips.append([" ".join(text.split()[:2]) for text, _ in asked])
            before(asked)
            rows = await run(lane, *asked)
            after(asked[-1][0])
            return rows

        self._patch.setattr(Lane, "run", watched)

    def lose_before(self, first: str) -> None:
        """The connection is lost once, before that statement is sent."""
        lost: list[str] = []

        def lose(asked: tuple[Asked, ...]) -> None:
            if asked[0][0].lstrip().startswith(first) and not lost:
                lost.append(first)
                raise psycopg.OperationalError("the connection is lost")

        self.watch(lose)

    def lose_the_answer_of(self, last: str) -> None:
        """The connection is lost once, after that statement was done."""
        lost: list[str] = []

        def lose(text: str) -> None:
            if text.startswith(last) and not lost:
                lost.append(text)
                raise psycopg.OperationalError("the connection is lost")

        self.watch(lambda asked: None, lose)

    def post(self, path: str, *posted: Posted) -> list[httpx.Response]:
        """The answers to these forms and headers."""
        self.round_trips.clear()
        answers: list[httpx.Response] = self.run(self.send(path, *posted))
        return answers

    def answered_while_waiting(self, path: str, posted: Posted, *, waiting: Posted) -> int:
        """The status of the one, both sent at one moment. Fails if the other has not waited longer; it is given up."""

        async def both() -> int:
            waits = asyncio.ensure_future(self.send(path, waiting))
            (answer,) = await self.send(path, posted)
            assert not waits.done()
            waits.cancel()
            return answer.status_code

        self.round_trips.clear()
        status: int = self.run(both())
        return status

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._app.run(coroutine)

    async def send(self, path: str, *posted: Posted) -> list[httpx.Response]:
        return list(await asyncio.gather(*(self._app._client.post(path, **each) for each in posted)))
