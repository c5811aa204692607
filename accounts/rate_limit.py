"""Failures, counted for a while: by account or client together with the address that they come from, never by one
of them alone; and other refusals, so that a flood of them does not fill the trail."""

import hashlib
import re
from typing import Literal, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from accounts import windows
from smart.http.addresses import caller_network
from smart.time_units import SECOND

Kind = Literal[
    "account",
    "account group",
    "invented account",
    "client",
    "unknown account",
    "refresh refused",
    "code refused",
    "refused in a browser",
]
FIRST_EVENTS = 10
_NUMBER = re.compile(r", \d+ so far\Z")

_COUNT = windows.count_statement("accounts_failurecount", "failures")
_READ = f"SELECT failures, window_ends_at FROM accounts_failurecount WHERE key = %s AND {windows.IN_TIME}"  # noqa: S608
_LOCK = "SELECT 1 FROM accounts_failurecount WHERE key = %s FOR UPDATE"
_CLEAR = "DELETE FROM accounts_failurecount WHERE key = %s"
_SUBTRACT = """
UPDATE accounts_failurecount SET failures = failures - COALESCE((
    SELECT own.failures FROM accounts_failurecount own
    WHERE own.key = %s AND own.window_ends_at = accounts_failurecount.window_ends_at
), 0) WHERE key = %s
"""


class Count(NamedTuple):
    """How many there were within the window, those included that were just added, and when it ends."""

    number: int
    window_ends_at: int
    added: int = 1

    @property
    def is_worth_an_event(self) -> bool:
        """The first few, then one at a hundred, a thousand, ...: a flood must not fill the trail."""
        before = self.number - self.added
        return before < FIRST_EVENTS or len(str(before)) < len(str(self.number))

    @property
    def since_last_event(self) -> int:
        """Of those that are counted one by one: how many came after the event before this one, this one included."""
        return 1 if self.number <= FIRST_EVENTS else self.number - self.number // 10

    @property
    def so_far(self) -> str:
        """For the reason of such an event, once there were more than are told one by one."""
        return "" if self.number <= FIRST_EVENTS else f"{self.number} so far"

    def with_number(self, reason: str) -> str:
        """The reason of such an event, with their number where there is one to tell."""
        return f"{reason}, {self.so_far}" if self.so_far else reason


def without_number(reason: str) -> str:
    """What `Count.with_number` was given."""
    return _NUMBER.sub("", reason)


def count(
    kind: Kind, name: str, address: str, *, now: int, seconds: int = 0, ends_at: int = 0, added: int = 1
) -> Count:
    """Counts one more, or so many, within a window of so many seconds (by default that of failures) or until then.

    One statement.
    """
    ends_at = ends_at or now + (seconds or settings.SMARTAUTH_FAILURE_WINDOW_SECONDS) * SECOND
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, windows.values(_key(kind, name, address), (), added, now=now, ends_at=ends_at))
        return Count(*cursor.fetchone())._replace(added=added)


def count_failure(kind: Kind, name: str, address: str, *, now: int) -> int:
    """Counts one failure. The seconds to wait if it was one too many, else 0."""
    return failure_wait(count(kind, name, address, now=now), now=now)


def failure_wait(counted: Count, *, now: int) -> int:
    """The seconds to wait after so many failures, 0 while they are few."""
    if counted.number < settings.SMARTAUTH_FAILURE_LIMIT:
        return 0
    return max(1, -(-(counted.window_ends_at - now) // SECOND))


def seconds_to_wait(kind: Kind, name: str, address: str, *, now: int) -> int:
    """The seconds to wait before another try is looked at, else 0. Counts nothing."""
    return failure_wait(current_count(kind, name, address, now=now), now=now)


def current_count(kind: Kind, name: str, address: str, *, now: int) -> Count:
    """How many failures there were within the window that is open, 0 where none is. Counts nothing."""
    latest_end = now + settings.SMARTAUTH_FAILURE_WINDOW_SECONDS * SECOND
    with connection.cursor() as cursor:
        cursor.execute(_READ, [_key(kind, name, address), now, latest_end])
        return Count(*(cursor.fetchone() or (0, now)))


def forget_failures(kind: Kind, name: str, address: str, *, counted_in: tuple[Kind, str] | None = None) -> None:
    """A success forgets the failures before it, also where they were counted together with those of others."""
    key = _key(kind, name, address)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if counted_in is not None:
            shared = _key(*counted_in, address)
            if connection.features.has_select_for_update:
                cursor.execute(_LOCK, [shared])  # or a failure counted meanwhile would be cleared and not subtracted
            cursor.execute(_SUBTRACT, [key, shared])
        cursor.execute(_CLEAR, [key])


def _key(kind: Kind, name: str, address: str) -> str:
    return hashlib.sha256(f"{kind}\0{name}\0{caller_network(address)}".encode("utf-8", "replace")).hexdigest()
