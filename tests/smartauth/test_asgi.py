"""The server forgets every hour what it remembers of people."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from smart.remembered import remembered
from smartauth import asgi
from smartauth.startup_checks import gate


@pytest.mark.requirement("PR-07")
def test_what_is_remembered_is_forgotten_each_hour_from_the_start_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    later: list[tuple[float, Callable[[], None]]] = []

    @remembered
    def patient(text: str) -> str:
        asked.append(text)
        return text

    async def live() -> None:
        steps = iter(["startup", "shutdown"])
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", lambda seconds, call: later.append((seconds, call)))

        async def receive() -> dict[str, Any]:
            return {"type": f"lifespan.{next(steps)}"}

        async def send(_: object) -> None:
            patient("amy")

        await asgi.application({"type": "lifespan"}, receive, send)
        for hour in (1, 2):
            seconds, forget = later[-1]
            assert (seconds, len(later), len(asked)) == (3600, hour, hour)
            forget()
            patient("amy")

    monkeypatch.setattr(gate, "open", lambda: None)
    asyncio.run(live())
    assert len(asked) == 3
