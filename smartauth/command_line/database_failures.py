"""What a command says in a line where its database was never prepared, or fails."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from smartauth.environment import FROM_FILE
from smartauth.settings_table import AUDIT_DATABASE_URL, DATABASE_URL, DEFAULT_PORT, default_data_folder

# commands that are about rows of a database that another command has made
ABOUT_ROWS = frozenset(
    {
        "backup",
        "client",
        "doctor",
        "events",
        "explain",
        "fhir-server",
        "introspection-fault",
        "keys",
        "password",
        "person",
        "seed",
        "token",
    }
)
WITHOUT_ROWS = frozenset({"--help", "-h", "--list"})


def missing_data(arguments: Sequence[str], environment: Mapping[str, str], program: str) -> str:
    """What to do before a command about rows of the embedded database, "" where that is there or not asked.

    Said before the settings are read, which would draw secrets for a folder that nobody meant.
    """
    if not arguments or arguments[0] not in ABOUT_ROWS or not WITHOUT_ROWS.isdisjoint(arguments):
        return ""
    folder = _data_folder(environment)
    is_elsewhere = any(environment.get(name) for name in (DATABASE_URL.name, f"{DATABASE_URL.name}{FROM_FILE}"))
    if is_elsewhere or folder is None or (folder / "smartauth.sqlite3").exists():
        return ""
    return (
        f"There is no data in {folder}. `{program} dev` starts a development server there, `{program} migrate` makes "
        "empty databases; SMARTAUTH_DATA_DIR or SMARTAUTH_PORT names the data of another server."
    )


def _data_folder(environment: Mapping[str, str]) -> Path | None:
    """As the settings find it; None where they will refuse what they are given."""
    if chosen := environment.get("SMARTAUTH_DATA_DIR"):
        return Path(chosen).absolute()
    port = environment.get("SMARTAUTH_PORT") or str(DEFAULT_PORT)
    return default_data_folder(int(port)) if port.isdecimal() else None


@contextmanager
def database_failures_in_a_line(program: str, arguments: Sequence[str]) -> Iterator[None]:
    """Ends with a line and status 1 in place of a traceback, unless --traceback asks for that."""
    from django.db import DatabaseError, InterfaceError

    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        if "--traceback" in arguments:
            raise
        sys.exit(f"{program}: {database_sentence(error, program)}")


def database_sentence(error: Exception, program: str) -> str:
    """What a failure of the database means, and what to do."""
    from accounts.database_failure import failure_of

    return failure_of(error).sentence(error, program, f"{DATABASE_URL.name} or {AUDIT_DATABASE_URL.name}")
