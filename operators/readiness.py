"""What serving needs of the databases: migrations that are applied, and keys that sign."""

from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import Error, OperationalError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Min, QuerySet, Sum
from django.db.models.functions import Greatest

from accounts import clock
from accounts.database_failure import failure_of
from accounts.engine import is_on_postgresql
from audit.models import Outbox
from oauth.keys import signing_keys
from oauth.models import SigningKey
from smart.time_units import SECOND

DATABASES = ("default", "audit")
LONGEST_WAIT = 120 * SECOND
_IDENTITY = "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"


def url_setting(alias: str) -> str:
    """The setting that names this database."""
    return "SMARTAUTH_DATABASE_URL" if alias == "default" else "SMARTAUTH_AUDIT_DATABASE_URL"


def failure_sentence(alias: str, error: Error) -> str:
    """What the failure of this database means, and what to do."""
    return failure_of(error).sentence(error, settings.SMARTAUTH_COMMAND, url_setting(alias), alias)


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
    if not all(map(is_on_postgresql, DATABASES)):
        return False  # two files, with two names of ours
    return _identity("default") == _identity("audit")


def _identity(alias: str) -> tuple[Any, ...]:
    """Which database of which server answers; no two servers began in the same microsecond with the same numbers."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_IDENTITY)
        return tuple(cursor.fetchone())


class Waiting(NamedTuple):
    """Events that wait for a worker: how many, and since when the oldest does; 0 and 0 for none."""

    number: int
    since: int

    @property
    def time(self) -> int:
        """For how many microseconds the oldest waits."""
        return max(0, clock.now() - self.since) if self.number else 0


def waiting_events() -> dict[str, Waiting]:
    """By whose they are. What the FHIR server counts waits from the end of its window on."""
    accesses = _due_before(clock.now() + 1).aggregate(number=Count("pk"), since=Min(Greatest("at", "ready_at")))
    return {
        "the trail": Waiting(**Outbox.objects.aggregate(number=Sum("number", default=0), since=Min("at"))),
        "the FHIR server": Waiting(**accesses),
    }


def events_set_aside() -> int:
    """Of the FHIR server: those of which no record could be made."""
    return _of_the_fhir_server().filter(failures__gt=0).count()


def _due_before(moment: int) -> QuerySet[Any]:
    """Of the FHIR server: those that a worker could have taken before that moment, in microseconds."""
    return _of_the_fhir_server().filter(failures=0, at__gt=0, at__lt=moment, ready_at__lt=moment)


def _of_the_fhir_server() -> QuerySet[Any]:
    """It is a stranger to this package, as to all of ours: its table is found by name."""
    return apps.get_model("fhir_audit", "WaitingEvent")._default_manager.all()


def is_worker_late() -> bool:
    """Whether an event waits longer than any worker that runs would let it, which looks every few seconds."""
    bound = clock.now() - LONGEST_WAIT
    if Outbox.objects.filter(at__lt=bound).exists():
        return True
    return _due_before(bound).exists()


def can_sign() -> bool:
    """Whether an active key that this server can read is there for every algorithm."""
    active = SigningKey.objects.filter(state=SigningKey.State.ACTIVE)
    return {row.algorithm for row in active if signing_keys.is_readable(row)} >= set(signing_keys.ALGORITHMS)
