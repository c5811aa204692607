"""Backups of SQLite: what a copy fails in is told, and the database stays."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from operators.backup import service, sqlite
from operators.backup.manifest import UnusableBackup

pytestmark = pytest.mark.requirement("RV-08")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database whose only table has a row."""
    path = tmp_path / "main.sqlite3"
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript("CREATE TABLE t (text TEXT UNIQUE); INSERT INTO t VALUES ('here')")
    return path


@pytest.fixture
def backup(database: Path) -> Path:
    path = database.parent / "backup"
    sqlite.dump(str(database), path)
    return path


def spoil_an_index(file: Path) -> None:
    """Each page can be read, and they contradict each other."""
    with closing(sqlite3.connect(file)) as spoiled, spoiled:
        spoiled.execute("PRAGMA writable_schema = ON")
        spoiled.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE t (text TEXT UNIQUE NOT NULL)'")
        spoiled.execute("UPDATE t SET text = NULL")


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


@pytest.mark.parametrize("damage", [cut_short, spoil_an_index])
def test_a_backup_that_is_damaged_is_told_as_that(database: Path, backup: Path, damage: Any) -> None:
    damage(backup)

    with pytest.raises(UnusableBackup, match=f"A copy of {backup} is damaged "):
        sqlite.restore(backup, str(database), [])

    assert [*database.parent.glob("*.restored")] == []


def test_a_disk_that_is_full_is_not_called_a_damaged_backup(database: Path, backup: Path) -> None:
    full = ["PRAGMA max_page_count = 3", "INSERT INTO t VALUES (hex(zeroblob(99999)))"]

    with pytest.raises(UnusableBackup, match=rf"^A copy of {backup} cannot use its disk \(.* full\)\.$"):
        sqlite.restore(backup, str(database), full)

    assert [*database.parent.glob("*.restored")] == []


@pytest.mark.sqlite
@pytest.mark.usefixtures("committed")
def test_a_copy_that_cannot_be_written_fails_as_a_database_does(tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="unable to open"):
        service._dump("default", tmp_path / "no" / "folder")
