"""How much code does, counted: alike on every machine, however busy it is. And how fast that grows with a text."""

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Work(NamedTuple):
    """Calls of functions, and the lengths of the texts that methods of texts began with, such as `find`.

    What a regular expression looks at is not among them: `growth` sees it.
    """

    calls: int
    characters: int


def work_of(act: Callable[[], object]) -> Work:
    """What the call does in this thread."""
    calls = characters = 0

    def see(_: Any, event: str, called: Any) -> None:
        nonlocal calls, characters
        if event in ("call", "c_call"):
            calls += 1
        if event == "c_call" and isinstance(text := getattr(called, "__self__", None), str | bytes):
            characters += len(text)

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        act()
    finally:
        sys.setprofile(before)
    return Work(calls, characters)


TIMES, TRIES = 8, 5
LINEAR = 30  # between 8, which it is where each character costs alike, and 64, where each costs a look at all others


def growth(read: Callable[[str], object], piece: str, *, start: str = "", length: int = 2_500) -> float:
    """How many times longer the processor works on a text of TIMES as many pieces: by the least of several tries each,
    so that neither how fast the machine is counts, nor what else it does. No text comes twice: it may be remembered."""
    number = length // len(piece)
    short, long = start + piece * number, start + piece * number * TIMES
    return _least_seconds(read, long) / _least_seconds(read, short)


def _least_seconds(read: Callable[[str], object], text: str) -> float:
    tries = []
    for number in range(TRIES):
        other = f"{text}{number}"
        before = time.thread_time()
        read(other)
        tries.append(time.thread_time() - before)
    return min(tries)
