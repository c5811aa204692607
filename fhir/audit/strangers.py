"""Refusals before it is known who asks: counted by address and window, so that nobody fills the store without a token.

They are kept in the process and written once a second; a process that ends loses that second.
"""

import json
import logging
import threading
import time
from collections import Counter
from typing import NamedTuple

from django.db import connection

from fhir import clock
from fhir.audit.outbox import Row, record
from smart.digests import sha256_hex
from smart.http.addresses import caller_network
from smart.time_units import SECOND

INTERVAL_SECONDS = 1.0
WINDOW_SECONDS = 600
MAX_ADDRESSES = 1000  # in a process and window; those on top are counted together, without an address
MAX_WAITING = 10_000  # while the database is away; what comes on top is forgotten
AT_ONCE = 1000  # in a statement: databases bound how many values one has
_LATE_SECONDS = 60  # after the window: until then a process may still add to it

logger = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """What is counted together."""

    window: int
    version: str
    base: str
    address: str
    status: int


class Strangers:
    """What waits to be written, and the one thread that writes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._waiting: Counter[Refusal] = Counter()
        self._known: set[str] = set()
        self._window = 0
        self._thread: threading.Thread | None = None

    def add(self, version: str, base: str, address: str, status: int) -> None:
        """Notes a refusal of somebody unknown. Returns at once, whatever the database does."""
        window = clock.now() // (WINDOW_SECONDS * SECOND)
        with self._lock:
            if window != self._window:
                self._window, self._known = window, set()
            refusal = Refusal(window, version, base, self._counted(caller_network(address)), status)
            if refusal in self._waiting or len(self._waiting) < MAX_WAITING:
                self._waiting[refusal] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="strangers", daemon=True)
                self._thread.start()
        self._some.set()

    def flush(self) -> None:
        """Writes what waits, in parts. What is not written waits on, and takes its place among what may wait."""
        with self._lock:
            taken = list(self._waiting.items())
        for start in range(0, len(taken), AT_ONCE):
            part = taken[start : start + AT_ONCE]
            record([_row(refusal, count) for refusal, count in part])
            with self._lock:
                self._waiting -= Counter(dict(part))

    def _counted(self, address: str) -> str:
        if address in self._known or len(self._known) < MAX_ADDRESSES:
            self._known.add(address)
            return address
        return ""

    def _run(self) -> None:
        while self._some.wait():
            time.sleep(INTERVAL_SECONDS)
            self._some.clear()
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001  # whatever went wrong, the next refusal tries again
                logger.warning("refusals of strangers wait to be recorded: %s", type(error).__name__)
            finally:
                connection.close()


def _row(refusal: Refusal, count: int) -> Row:
    """Of the end of the window: an export that has told of a moment hears no more of it (fhir/audit/export.py)."""
    end = (refusal.window + 1) * WINDOW_SECONDS * SECOND
    facts = {
        "version": refusal.version,
        "base": refusal.base,
        "at": end,
        "address": refusal.address,
        "status": refusal.status,
        "seconds": WINDOW_SECONDS,
    }
    event_id = sha256_hex(json.dumps(refusal))[:32]
    return Row(event_id, end, end + _LATE_SECONDS * SECOND, count, json.dumps(facts))


strangers = Strangers()
