"""The one clock of the bundled server: a test that sets the time sets it here."""

import time
from datetime import datetime

from smart.time_units import to_datetime


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def moment() -> datetime:
    """The same as an aware datetime, as versions of records are dated."""
    return to_datetime(now())
