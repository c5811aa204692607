"""The partitions of the access tokens on PostgreSQL: one is made in time, the oldest dropped once all in it is over.

SQLite has none, and neither name here does anything there.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any

from django.db import OperationalError, connection

from oauth.models import sql
from smart.time_units import DAY, HOUR

log = logging.getLogger("smartauth.retention")

DAYS = 30  # of each partition
AHEAD = 30 * DAY  # for so long tokens find theirs, also if no worker runs
ATTEMPTS, PAUSE = 8, 1.0  # each attempt waits at most 100 ms for a lock, and others wait behind it
LOCK_NOT_AVAILABLE = "55P03"
_UNTIL = "SELECT max(until) FROM oauth_access_token_partitions()"
_ADD = "SELECT oauth_add_access_token_partition(%s, %s)"
_DROP = "SELECT oauth_drop_access_token_partition(%s)"


def are_used() -> bool:
    """Whether this database has partitions."""
    return connection.vendor == "postgresql"


def covered_until() -> int:
    """Tokens that expire before then have a partition of their own."""
    return int(sql.value(_UNTIL, []) or 0)


def add_in_time(*, now: int) -> None:
    """Makes the next partition if it is time. Without it tokens go into the default one, and serve as well."""
    if are_used() and covered_until() < now + AHEAD:
        _try_for_a_while(_ADD, [now + HOUR, DAYS])


def drop_expired(*, before: int) -> int:
    """Drops every partition in which all has expired before then. Counts rows, as the database estimates them."""
    count = 0
    while are_used() and (rows := _try_for_a_while(_DROP, [before])) is not None:
        count += rows
    return count


def _try_for_a_while(statement: str, values: Sequence[sql.Value]) -> Any:
    """What it answers; None where the table was in use all the time: the next sweep tries again."""
    for _ in range(ATTEMPTS):
        try:
            return sql.value(statement, values)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                raise
            time.sleep(PAUSE)
    log.warning("partitions stay as they are, for others hold the table: the next sweep tries again")
    return None
