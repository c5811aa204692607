"""Backups of SQLite: what a copy fails in is told, and the database stays until another one takes its place."""

import errno
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from operators.backup import service, sqlite
from operators.backup.manifest import HalfRestored, UnusableBackup

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


def restore(backup: Path, database: Path, statements: Iterable[str] = ()) -> None:
    with sqlite.drafted(backup, str(database), statements) as replace:
        replace()


def add(database: Path, *texts: str) -> None:
    with closing(sqlite3.connect(database)) as changed, changed:
        changed.executemany("INSERT INTO t VALUES (?)", [(text,) for text in texts])


def texts(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as asked:
        return {text for (text,) in asked.execute("SELECT text FROM t")}


def leave_a_journal(database: Path, text: str) -> None:
    """As a server does that is killed: what was committed last lies in the file beside alone."""
    with closing(sqlite3.connect(database)) as killed:
        killed.execute("PRAGMA journal_mode = WAL")
        killed.execute("INSERT INTO t VALUES (?)", (text,))
        killed.commit()
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{database}{suffix}", f"{database}{suffix}.kept")
    for suffix in ("", "-wal"):
        os.replace(f"{database}{suffix}.kept", f"{database}{suffix}")


def failing(call: Callable[..., Any], error: BaseException, *, at: Callable[..., bool]) -> Callable[..., Any]:
    def fail(*arguments: Any) -> Any:
        if at(*arguments):
            raise error
        return call(*arguments)

    return fail


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
        restore(backup, database)

    assert [*database.parent.glob("*.restored")] == []


def test_a_disk_that_is_full_is_not_called_a_damaged_backup(database: Path, backup: Path) -> None:
    full = ["PRAGMA max_page_count = 3", "INSERT INTO t VALUES (hex(zeroblob(99999)))"]

    with pytest.raises(UnusableBackup, match=rf"^A copy of {backup} cannot use its disk \(.* full\)\.$"):
        restore(backup, database, full)

    assert [*database.parent.glob("*.restored")] == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_is_full_at_the_end_is_told_and_leaves_the_database_and_no_draft(
    database: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    add(database, "later")
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, step, failing(getattr(os, step), full, at=lambda *_: True))

    with pytest.raises(UnusableBackup, match=rf"^A copy of {backup} cannot be put into place \(No space left .*\)"):
        restore(backup, database)

    assert texts(database) == {"here", "later"}
    assert [*database.parent.glob("*.restored")] == []


def test_a_folder_that_does_not_reach_the_disk_is_told_as_a_database_that_was_replaced(
    database: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, "later")
    broken = OSError(errno.EIO, "Input/output error")
    at_folder = failing(os.fsync, broken, at=lambda descriptor: stat.S_ISDIR(os.fstat(descriptor).st_mode))
    monkeypatch.setattr(os, "fsync", at_folder)

    with pytest.raises(HalfRestored, match=rf"^{database} is that of the backup, but may not be .* Restore again\.$"):
        restore(backup, database)

    assert texts(database) == {"here"}


def test_a_restore_that_is_killed_at_the_end_has_lost_nothing_that_was_committed(
    database: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_journal(database, "in the journal")
    monkeypatch.setattr(os, "replace", failing(os.replace, KeyboardInterrupt(), at=lambda *_: True))

    with pytest.raises(KeyboardInterrupt):
        restore(backup, database)

    assert texts(database) == {"here", "in the journal"}


@pytest.mark.parametrize("is_folded", [True, False])
def test_what_lay_in_a_journal_is_not_in_the_restored_database(
    database: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, is_folded: bool
) -> None:
    leave_a_journal(database, "in the journal")
    if not is_folded:  # as of a file that SQLite cannot read
        monkeypatch.setattr(sqlite, "_fold_journals", lambda _: None)

    restore(backup, database)

    assert texts(database) == {"here"}


def test_a_database_in_use_is_not_replaced(database: Path, backup: Path) -> None:
    leave_a_journal(database, "in the journal")
    with closing(sqlite3.connect(database)) as server:
        server.execute("BEGIN")
        server.execute("SELECT * FROM t").fetchall()
        add(database, "later")

        with pytest.raises(UnusableBackup, match=rf"^{database} is in use: stop the servers and workers\.$"):
            restore(backup, database)

    assert texts(database) == {"here", "in the journal", "later"}


def test_a_database_that_is_locked_is_not_replaced(database: Path, backup: Path) -> None:
    add(database, "later")
    with closing(sqlite3.connect(database)) as server:
        server.execute("BEGIN EXCLUSIVE")

        with pytest.raises(UnusableBackup, match=r" is in use: "):
            restore(backup, database)

    assert texts(database) == {"here", "later"}


def test_a_database_that_is_damaged_is_replaced_with_what_lies_beside_it(database: Path, backup: Path) -> None:
    for suffix in ("", *sqlite.BESIDE):
        Path(f"{database}{suffix}").write_bytes(b"no database" * 1000)

    restore(backup, database)

    assert {*database.parent.iterdir()} == {database, backup}
    assert texts(database) == {"here"}


def test_a_restored_database_is_for_its_owner_alone(database: Path, backup: Path) -> None:
    database.chmod(0o600)
    before = os.umask(0o022)
    try:
        restore(backup, database)
    finally:
        os.umask(before)

    assert stat.S_IMODE(database.stat().st_mode) == 0o600


@pytest.mark.sqlite
@pytest.mark.usefixtures("committed")
def test_a_copy_that_cannot_be_written_fails_as_a_database_does(tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="unable to open"):
        service._dump("default", tmp_path / "no" / "folder")
