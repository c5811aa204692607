"""Every check, a row each."""

from collections.abc import Iterator

from django.conf import settings

from operators.doctor import address, databases, leftovers
from operators.doctor.problem import Check, Problem

CHECKS = (
    Check("databases", "both databases answer", databases.find_unreachable),
    Check("pooler", "SMARTAUTH_DATABASE_POOL_MODE tells of a PgBouncer", databases.find_unknown_pooler),
    Check("migrations", "every migration is applied", databases.find_missing_migrations),
    Check("separate-trail", "the trail has a database of its own", databases.find_one_database, is_of_production=True),
    Check("roles", "the database roles may do what they need, and no more", databases.find_powerful_roles),
    Check("clock", "this clock and those of the databases agree", databases.find_clock_skew),
    Check("keys", "keys that can be read sign tokens", leftovers.find_key_problems, needs_tables=True),
    Check("broker", "the broker answers", databases.find_broker_failure),
    Check("worker", "no event waits for the worker", databases.find_idle_worker, needs_tables=True),
    Check("set-aside", "no event of the FHIR server is set aside", databases.find_events_set_aside, needs_tables=True),
    Check(
        "partitions",
        "partitions wait for the tokens of the next weeks",
        databases.find_partitions_running_out,
        needs_tables=True,
    ),
    Check("files", "only this account opens the data folder", leftovers.find_open_files),
    Check(
        "demo",
        "no published password opens it",
        leftovers.find_demo_credentials,
        is_of_production=True,
        needs_tables=True,
    ),
    Check("debug", "nothing of development is left", leftovers.find_debug_leftovers),
    Check("issuer", "the server answers at its issuer", address.find_address_problems),
    Check("tls", "certificate, version and cipher of the issuer are good", address.find_tls_problems, needs_https=True),
)


def examine() -> Iterator[tuple[Check, str, list[Problem]]]:
    """Each check with what it found; the text says why it was not made, "" where it was."""
    for check in CHECKS:
        reason = _reason_to_skip(check)
        yield check, reason, [] if reason else list(check.find())


def _reason_to_skip(check: Check) -> str:
    if check.is_of_production and settings.SMARTAUTH_DEV:
        return "a development server"
    if check.needs_https and not settings.SMARTAUTH_ISSUER.startswith("https:"):
        return "the issuer is http"
    if check.needs_tables and not databases.has_tables():
        return "the main database has no tables of this version"
    return ""
