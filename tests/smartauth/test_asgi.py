"""The server forgets every hour what it remembers of people."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from introspection import address_binding
from oauth.http import refusal_events
from oauth.workbench.console import people
from smart.remembered import forget, remembered
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


@pytest.mark.requirement("PR-07")
@pytest.mark.parametrize(
    "kept",
    [address_binding._recorded, refusal_events._counted_here, people._usernames],
    ids=["moved tokens", "refused networks", "user names"],
)
def test_it_is_all_that_a_process_keeps_of_people(kept: dict[Any, Any]) -> None:
    kept["amy"] = "amy"

    forget()

    assert kept == {}
