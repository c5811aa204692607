"""Why requests are answered with 503, in the log of your server: a line in ten seconds, and nothing of a request."""

import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

_LOG = logging.getLogger("smartauth_enforcement")
_REST_SECONDS = 10.0


class Outages:
    """Those of one smartauth; `clock` is a time in seconds that only grows."""

    def __init__(self, smartauth: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = urlsplit(smartauth).netloc.rpartition("@")[2]
        self._clock, self._rests_until = clock, clock()

    def tell(self, reason: str) -> None:
        """A warning, unless there was one just now."""
        now = self._clock()
        if now >= self._rests_until:
            self._rests_until = now + _REST_SECONDS
            _LOG.warning("requests are answered with 503: smartauth at %s decided nothing: %s", self._host, reason)
