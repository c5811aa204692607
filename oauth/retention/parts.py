"""The parts of a sweep, each tried by itself: one that fails stops none of those after it."""

import logging
from collections.abc import Callable, Iterable

log = logging.getLogger("smartauth.retention")

Part = Callable[[], int]


def run_each(parts: Iterable[Part]) -> int:
    """Runs all of them and adds up what they count. A failure is logged, and the first one raised at the end."""
    count, failures = 0, list[Exception]()
    for part in parts:
        try:
            count += part()
        except Exception as failure:
            log.exception("a part of the sweep failed, the others go on")
            failures.append(failure)
    if failures:
        raise failures[0]
    return count
