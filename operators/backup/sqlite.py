"""Copies of SQLite databases, made while they are in use, and put back in one step."""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from accounts.database_failure import failure_of, text_of
from operators.backup.manifest import UnusableBackup

BESIDE = ("-wal", "-shm", "-journal")


class _Damaged(sqlite3.DatabaseError):
    """What SQLite's own look at a whole file has found."""

    sqlite_errorname = "SQLITE_CORRUPT"


def dump(database: str, file: Path) -> None:
    """A whole copy of one moment, by SQLite's online backup."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")


def restore(file: Path, database: str, statements: Iterable[str]) -> None:
    """The copy with the statements applied takes the database's place. Raises UnusableBackup: nothing changes."""
    draft = Path(f"{database}.restored")
    draft.unlink(missing_ok=True)
    try:
        dump(str(file), draft)
        _change(draft, statements)
    except sqlite3.DatabaseError as error:
        draft.unlink(missing_ok=True)
        raise UnusableBackup(f"A copy of {file} {failure_of(error).what} ({text_of(error)}).") from None
    _sync(draft)
    for suffix in BESIDE:
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    os.replace(draft, database)
    _sync(Path(database).parent)


def _change(draft: Path, statements: Iterable[str]) -> None:
    with closing(sqlite3.connect(draft)) as restored, restored:
        (found,) = restored.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise _Damaged(found)
        for statement in statements:
            restored.execute(statement)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
