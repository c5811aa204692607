"""A bounded memory of this process: a development server is one process, and what it forgets is tried again."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The newest entries by key; what was put longest ago goes first. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        with self._lock:
            return self._entries.get(key)

    def items(self) -> list[tuple[Key, Value]]:
        with self._lock:
            return list(self._entries.items())
