"""The tables of the audit database take rows and change none: the database itself refuses (SD-10).

Where roles are apart, the role that serves has no right to either (docker/databases.sh). What stands here holds where
one role owns the tables too, and on SQLite, which has no roles: nothing that the server runs changes or deletes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction

TABLES = ("fhir_audit_value", "fhir_audit_entry")
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION fhir_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit records are never changed' USING ERRCODE = 'insufficient_privilege'; END $$
"""


def protect(vendor: str) -> list[str]:
    """The statements that make the database refuse."""
    if vendor == "postgresql":
        return [_POSTGRESQL_FUNCTION, *(_postgresql_trigger(table) for table in TABLES)]
    return [_sqlite_trigger(table, action) for table in TABLES for action in ("UPDATE", "DELETE")]


def unprotect(vendor: str) -> list[str]:
    """Those that undo it; only the owner of the tables may."""
    if vendor == "postgresql":
        return [f"DROP TRIGGER {table}_append_only ON {table}" for table in TABLES]
    return [f"DROP TRIGGER {table}_no_{action}" for table in TABLES for action in ("update", "delete")]


@contextmanager
def lifted() -> Iterator[None]:
    """One transaction of the audit database in which rows may be deleted; for everybody else they stay protected."""
    connection = connections["audit"]
    with transaction.atomic(using="audit"), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else the triggers could not come back in here
        for statement in unprotect(connection.vendor):
            cursor.execute(statement)
        yield
        for statement in protect(connection.vendor):
            cursor.execute(statement)


def _postgresql_trigger(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION fhir_audit_append_only()"
    )


def _sqlite_trigger(table: str, action: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'audit records are never changed'); END"
    )
