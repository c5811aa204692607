"""The time by which something is over: a machine whose clock is wrong by months would delete what is alive."""

import time

from accounts import clock
from accounts.engine import is_on_postgresql
from oauth.models import sql

_OF_DATABASE = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def now_by_both_clocks() -> int:
    """The earlier one of this machine's time and the database's, which all machines share; SQLite has none."""
    now = clock.now()
    if not is_on_postgresql():
        return now
    ahead = time.time_ns() // 1000 - int(sql.value(_OF_DATABASE, []))
    return now - max(0, ahead)
