"""What serving needs of the databases: migrations that are applied, and keys that sign."""

from functools import cache
from typing import Any

from django.db import OperationalError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from accounts import clock
from audit.models import OutboxEvent
from oauth.keys import signing_keys
from oauth.models import SigningKey
from smart.time_units import SECOND

DATABASES = ("default", "audit")
LONGEST_WAIT = 120 * SECOND
_IDENTITY = "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"


def missing_migrations(alias: str) -> list[str]:
    """The apps whose latest migration this database does not have. Raises django.db.Error if it does not answer."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return [app for app, name in _latest_migrations() if (app, name) not in applied]


@cache
def _latest_migrations() -> list[tuple[str, str]]:
    return sorted(MigrationLoader(None).graph.leaf_nodes())


def are_one_database() -> bool:
    """Whether events would be kept beside what they are about: so the servers say, whatever names lead to them.

    While the audit database does not answer nobody can tell: a server starts without it, as events wait for it, and
    each probe of readiness asks again until both have answered once.
    """
    try:
        return _is_one_identity()
    except OperationalError:
        return False


@cache
def _is_one_identity() -> bool:
    """Asked until both answer: an exception is not cached."""
    if any(connections[alias].vendor != "postgresql" for alias in DATABASES):
        return False  # two files, with two names of ours
    return _identity("default") == _identity("audit")


def _identity(alias: str) -> tuple[Any, ...]:
    """Which database of which server answers; no two servers began in the same microsecond with the same numbers."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_IDENTITY)
        return tuple(cursor.fetchone())


def waiting_time() -> int:
    """For how many microseconds the oldest event waits for a worker; 0 where none does."""
    oldest = OutboxEvent.objects.aggregate(at=Min("at"))["at"]
    return max(0, clock.now() - oldest) if oldest else 0


def is_worker_late() -> bool:
    """Whether an event waits longer than any worker that runs would let it, which looks every few seconds."""
    return waiting_time() > LONGEST_WAIT


def can_sign() -> bool:
    """Whether an active key that this server can read is there for every algorithm."""
    active = SigningKey.objects.filter(state=SigningKey.State.ACTIVE)
    return {row.algorithm for row in active if signing_keys.is_readable(row)} >= set(signing_keys.ALGORITHMS)
