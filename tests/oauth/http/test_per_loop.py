"""One of something for each event loop."""

import asyncio
import gc
from collections.abc import Callable
from weakref import ref

import pytest

from oauth.http.per_loop import PerLoop

pytestmark = pytest.mark.one_engine


class Thing: ...


def test_a_loop_finds_its_own_again_also_after_another_one_asked() -> None:
    thing = PerLoop(Thing)

    async def ask() -> Thing:
        return thing()

    with asyncio.Runner() as one, asyncio.Runner() as other:
        first, second = one.run(ask()), other.run(ask())

        assert first is not second
        assert (one.run(ask()), one.run(ask()), other.run(ask())) == (first, first, second)


class ThingOfALoop:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()


@pytest.mark.parametrize("make", [Thing, ThingOfALoop])
def test_nothing_keeps_a_loop_that_has_ended(make: Callable[[], object]) -> None:
    thing = PerLoop(make)

    async def ask() -> "ref[asyncio.AbstractEventLoop]":
        thing()
        return ref(asyncio.get_running_loop())

    ended = asyncio.run(ask())
    gc.collect()

    assert ended() is None


def test_nothing_is_found_without_a_loop() -> None:
    with pytest.raises(RuntimeError):
        PerLoop(Thing)()
