"""Waiting for what becomes true by itself: as soon as it is, and no longer than a slow machine needs."""

import time
from collections.abc import Callable

BOUND = 60.0


def wait_until(holds: Callable[[], bool], *, within: float = BOUND) -> bool:
    """Whether it holds before the time is over; it is asked once more at the end."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
