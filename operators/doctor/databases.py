"""Databases, their tables, roles and clocks, the broker and the worker."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db import Error, connections, router

from accounts import clock
from accounts.database_failure import failure_of, text_of
from accounts.engine import is_on_postgresql
from oauth.retention import partitions
from operators import readiness
from operators.doctor.problem import Problem
from smart.time_units import CLOCK_SKEW, SECOND, to_datetime

PATIENCE = 3.0  # seconds for a broker


def find_unreachable() -> Iterator[Problem]:
    """Databases to which no connection can be made."""
    for alias in readiness.DATABASES:
        try:
            connections[alias].ensure_connection()
        except Error as error:
            found = failure_of(error)
            mend = found.next_step(settings.SMARTAUTH_COMMAND, readiness.url_setting(alias))
            yield Problem(f"the database {alias} {found.what}: {text_of(error)}", mend)


def find_unknown_pooler() -> Iterator[Problem]:
    """PgBouncer tells its clients of another process than the one that answers, and nothing of its pool_mode."""
    if settings.SMARTAUTH_DATABASE_POOL_MODE != "none":
        return
    for alias in reachable():
        if not is_on_postgresql(alias):
            continue
        if _answer(alias, "SELECT pg_backend_pid()") != connections[alias].connection.info.backend_pid:
            what = f"a connection pooler stands before the database {alias}, and no setting tells of it"
            mend = "set SMARTAUTH_DATABASE_POOL_MODE to its pool_mode: transaction, or session"
            yield Problem(what, mend)


def find_missing_migrations() -> Iterator[Problem]:
    for alias in reachable():
        if missing := readiness.missing_migrations(alias):
            what = f"the database {alias} lacks migrations of {', '.join(missing)}"
            yield Problem(what, f"run `{settings.SMARTAUTH_COMMAND} migrate`")


def find_one_database() -> Iterator[Problem]:
    if len(reachable()) == len(readiness.DATABASES) and readiness.are_one_database():
        what = "the trail lies in the main database, so that who changes one changes the other"
        yield Problem(what, "name a second database in SMARTAUTH_AUDIT_DATABASE_URL")


def find_powerful_roles() -> Iterator[Problem]:
    """The role of a server needs neither the cluster nor, outside development, the right to change the trail."""
    for alias in reachable():
        if is_on_postgresql(alias) and _answer(alias, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            what = f"the role of the database {alias} is a superuser"
            url = readiness.url_setting(alias)
            mend = f"give {url} a role that reads and writes rows and owns nothing (docker/databases.sh)"
            yield Problem(what, mend)
    if is_on_postgresql("audit") and "audit" in reachable() and not settings.SMARTAUTH_DEV:
        tables = [] if readiness.missing_migrations("audit") else [*_changeable_tables_of_the_trail()]
        if tables:
            what, named = "the role of the audit database may change and delete events", ", ".join(tables)
            mend = f"let another role own {named}, and grant this one SELECT and INSERT (docker/databases.sh)"
            yield Problem(what, mend)


def _changeable_tables_of_the_trail() -> Iterator[str]:
    """Of all tables there, those that this role may change."""
    for model in apps.get_models():
        table = model._meta.db_table
        may = f"SELECT has_table_privilege(current_user, '{table}', 'UPDATE, DELETE, TRUNCATE')"
        if router.db_for_write(model) == "audit" and _answer("audit", may):
            yield table


def find_clock_skew() -> Iterator[Problem]:
    """Tokens are dated by this machine; several machines agree by way of the database's clock."""
    for alias in reachable():
        if not is_on_postgresql(alias):
            continue
        theirs = int(_answer(alias, "SELECT extract(epoch FROM clock_timestamp()) * 1000000"))
        ahead = clock.now() - theirs
        if abs(ahead) > CLOCK_SKEW:
            direction = "ahead of" if ahead > 0 else "behind"
            what = f"the clock is {abs(ahead) / SECOND:.0f} s {direction} that of the database {alias}"
            yield Problem(what, "synchronise both machines by NTP")


def find_broker_failure() -> Iterator[Problem]:
    if not (url := urlsplit(settings.SMARTAUTH_REDIS_URL)).hostname:
        return
    try:
        with socket.create_connection((url.hostname, url.port or 6379), PATIENCE):
            return
    except OSError as error:
        what = f"Redis at {url.hostname}:{url.port or 6379} does not answer: {error.strerror or error}"
        yield Problem(what, "start it, or correct SMARTAUTH_REDIS_URL")


def find_idle_worker() -> Iterator[Problem]:
    """Events wait in the main database until a worker takes them to the audit database."""
    late = {of: each for of, each in readiness.waiting_events().items() if each.time > readiness.LONGEST_WAIT}
    if late:
        waiting = ", ".join(f"{each.number} of {of} for {each.time // SECOND} s" for of, each in late.items())
        what = f"no worker runs: events wait, {waiting}, and nothing that is over is deleted"
        mend = f"start `{settings.SMARTAUTH_COMMAND} worker`; if one runs, its log says what it waits for"
        yield Problem(what, mend)


def find_events_set_aside() -> Iterator[Problem]:
    """An access of the FHIR server of which no AuditEvent could be made is kept, and tried again every hour."""
    if count := readiness.events_set_aside():
        what = f"{count} events of the FHIR server are set aside: no record can be made of them"
        yield Problem(what, "look for `is set aside` in the log of the worker, and report what it says")


def find_partitions_running_out() -> Iterator[Problem]:
    """Each is made a month before its first token; without one tokens serve as well, but do not go at once."""
    for each in partitions.ALL if is_on_postgresql() else ():
        if (until := each.covered_until()) < clock.now() + each.ahead - partitions.SPARE // 2:
            what = f"{each.rows} that expire after {to_datetime(until):%Y-%m-%d} find no partition of theirs"
            mend = f"start `{settings.SMARTAUTH_COMMAND} worker`, which makes one; if one runs, its log says why not"
            yield Problem(what, mend)


def reachable() -> list[str]:
    """The databases that answer now."""
    return [alias for alias in readiness.DATABASES if _answers(alias)]


def has_tables() -> bool:
    """Whether the main database is of this version, so that its rows can be looked at."""
    return _answers("default") and not readiness.missing_migrations("default")


def _answers(alias: str) -> bool:
    try:
        connections[alias].ensure_connection()
    except Error:
        return False
    return True


def _answer(alias: str, statement: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]
