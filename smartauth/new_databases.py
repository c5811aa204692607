"""New SQLite files begin with the tables as migrations left them: one script each, in place of a hundred changes.

The scripts may be older than the migrations: what is not in them yet is migrated afterwards, as in any database.
`make tables` writes them anew.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from django.db import connections, transaction

from accounts.engine import is_on_postgresql

SCRIPTS = Path(__file__).parent / "tables"


def create_tables() -> None:
    """All of a script or nothing of it, in each database on SQLite that is empty."""
    for alias in connections:
        if not is_on_postgresql(alias):
            _create_tables(alias)


def _create_tables(alias: str) -> None:
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master")
        if cursor.fetchone() == (0,):
            for statement in _statements((SCRIPTS / f"{alias}.sql").read_text(encoding="utf-8")):
                cursor.execute(statement)


def _statements(script: str) -> Iterator[str]:
    """Each of them begins on a line of its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
