"""What each event loop has one of."""

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, ref

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One of something for each event loop, made at its first use there; gone with the loop if it does not hold it.

    The last loop is known at a glance: a thread runs one loop at a time, and a loop stays on its thread. To ask which
    one runs is a system call for each request, in Python 3.11.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._all: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()
        self._last: tuple[Callable[[], asyncio.AbstractEventLoop | None], int, T] | None = None

    def __call__(self) -> T:
        """That of the running loop."""
        if self._last is not None:
            last_loop, thread, found = self._last
            if thread == threading.get_ident() and (loop := last_loop()) is not None and loop.is_running():
                return found
        return self._look_up()

    def _look_up(self) -> T:
        loop = asyncio.get_running_loop()
        if loop not in self._all:
            self._all[loop] = self._make()
        found = self._all[loop]
        self._last = ref(loop), threading.get_ident(), found
        return found
