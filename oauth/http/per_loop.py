"""What each event loop has one of."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import ReferenceType, ref

T = TypeVar("T")
_ATTRIBUTE = "_smartauth_per_loop"


@dataclass(slots=True, weakref_slot=True, eq=False)
class _Held(Generic[T]):
    """What a loop holds; it goes with the loop, also where it refers to it."""

    value: T
    loop: asyncio.AbstractEventLoop
    thread: int


class PerLoop(Generic[T]):
    """One of something for each event loop, made at its first use there and gone with the loop, which alone holds it.

    The last loop is known at a glance: a thread runs one loop at a time, and a loop stays on its thread. To ask which
    one runs is a system call for each request, in Python 3.11.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._last: ReferenceType[_Held[T]] | None = None

    def __call__(self) -> T:
        """That of the running loop."""
        if (
            self._last is not None
            and (held := self._last()) is not None
            and held.thread == threading.get_ident()
            and held.loop.is_running()
        ):
            return held.value
        return self._look_up()

    def _look_up(self) -> T:
        loop = asyncio.get_running_loop()
        of_loop: dict[PerLoop[Any], _Held[Any]] = vars(loop).setdefault(_ATTRIBUTE, {})
        if self not in of_loop:
            of_loop[self] = _Held(self._make(), loop, 0)
        held: _Held[T] = of_loop[self]
        held.thread = threading.get_ident()
        self._last = ref(held)
        return held.value
