"""The newest requests, in the memory of this process, and who waits for the next one."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from oauth.workbench.console.row import Row

MOST = 200
Wake = Callable[[], object]


class RowBuffer:
    """Each row gets the next number; the oldest makes room."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: deque[Row] = deque(maxlen=MOST)
        self._latest = 0
        self._waiting: set[Wake] = set()

    def add(self, row: Row) -> None:
        """Keeps it and wakes those who wait."""
        with self._lock:
            self._latest += 1
            self._rows.append(replace(row, number=self._latest))
            waiting = tuple(self._waiting)
        for wake in waiting:
            wake()

    def rows(self, after: int = 0) -> list[Row]:
        """Those with a greater number, oldest first."""
        with self._lock:
            return [row for row in self._rows if row.number > after]

    @property
    def latest(self) -> int:
        """The number of the newest row, also of one that was cleared."""
        return self._latest

    def clear(self) -> None:
        """Forgets all; numbers go on."""
        with self._lock:
            self._rows.clear()

    def subscribe(self, wake: Wake, most: int) -> bool:
        """Whether there was room: it is called at each new row, in whatever thread adds it."""
        with self._lock:
            if len(self._waiting) >= most:
                return False
            self._waiting.add(wake)
            return True

    def unsubscribe(self, wake: Wake) -> None:
        with self._lock:
            self._waiting.discard(wake)


buffer = RowBuffer()
