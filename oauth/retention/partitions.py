"""The partitions of the tokens on PostgreSQL: each is made in time, the oldest dropped once all in it is over.

SQLite has none, and nothing here does anything there.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import OperationalError

from accounts.engine import is_on_postgresql
from oauth.models import sql
from smart.time_units import DAY, HOUR, SECOND
from smart.tokens.lifetimes import ACCESS_TOKEN_BOUND

log = logging.getLogger("smartauth.retention")

DAYS = 30  # of each partition, at least
SPARE = 30 * DAY  # for so long tokens find theirs, also if no worker runs
ATTEMPTS, PAUSE = 8, 1.0  # each attempt waits at most 100 ms for its locks, and others wait behind it
LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Partitions:
    """Those of one table. `noun` is in the names of its functions; `life` is the longest of its tokens, in seconds."""

    noun: str
    life: Callable[[], int]

    @property
    def rows(self) -> str:
        """What people call what is in them."""
        return f"{self.noun.replace('_', ' ')}s"

    @property
    def days(self) -> int:
        """Of the next partition. Tokens that live long get longer ones: each statement pays for every partition."""
        return max(DAYS, self.life() * SECOND // (3 * DAY))

    @property
    def ahead(self) -> int:
        """From now on, for so long tokens shall have a partition that waits for them."""
        return self.life() * SECOND + SPARE

    def covered_until(self) -> int:
        """Tokens that expire before then have a partition of their own."""
        return int(sql.value(f"SELECT max(until) FROM oauth_{self.noun}_partitions()", []) or 0)  # noqa: S608

    def add_in_time(self, *, now: int) -> None:
        """Makes the next ones if it is time. Without one tokens go into the default one, and serve as well."""
        add = f"SELECT oauth_add_{self.noun}_partition(%s, %s)"
        while is_on_postgresql() and self.covered_until() < now + self.ahead:
            if _try_for_a_while(add, [now + HOUR, self.days]) is None:
                return

    def drop_expired(self, *, before: int) -> int:
        """Drops each in which all has expired before then. Counts rows, as the database estimates them."""
        drop, count = f"SELECT oauth_drop_{self.noun}_partition(%s)", 0
        while is_on_postgresql() and (rows := _try_for_a_while(drop, [before])) is not None:
            count += rows
        return count


ACCESS_TOKENS = Partitions("access_token", lambda: ACCESS_TOKEN_BOUND)
REFRESH_TOKENS = Partitions("refresh_token", lambda: settings.SMARTAUTH_REFRESH_IDLE_SECONDS)
ALL = (ACCESS_TOKENS, REFRESH_TOKENS)


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
