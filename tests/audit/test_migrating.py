"""The audit database of a first start is as `migrate --database audit` leaves it."""

import sqlite3

import pytest
from django.apps import apps
from django.db import router
from django.db.migrations.loader import MigrationLoader

from tests.running import Server
from tests.tables import rows
from tests.templates import FILES


def test_every_migration_is_noted_there(migrated: Server) -> None:
    noted = rows(migrated, "audit", "SELECT app, name FROM django_migrations")

    assert set(noted) == set(MigrationLoader(None).disk_migrations or ())


def test_it_has_the_table_of_the_trail_and_no_other_of_ours(migrated: Server) -> None:
    assert rows(migrated, "audit", "SELECT count(*) FROM audit_securityevent") == [(0,)]
    with pytest.raises(Exception, match="oauth_client"):
        rows(migrated, "audit", "SELECT count(*) FROM oauth_client")


def test_every_table_that_is_kept_there_stands_there(migrated: Server) -> None:
    kept = [model._meta.db_table for model in apps.get_models() if router.allow_migrate_model("audit", model)]

    assert len(kept) > 1
    assert [rows(migrated, "audit", f"SELECT count(*) FROM {table}") for table in kept] == [[(0,)]] * len(kept)


@pytest.mark.one_engine
def test_it_is_made_of_the_same_statements(migrated: Server) -> None:
    quickly = statements(migrated)
    (migrated.folder / FILES[1]).unlink()

    migrated.manage("migrate", "--database", "audit")

    assert statements(migrated) == quickly


def statements(server: Server) -> set[str]:
    """How the tables, indexes and triggers there were made."""
    with sqlite3.connect(server.folder / FILES[1]) as opened:
        return {str(row[0]) for row in opened.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
