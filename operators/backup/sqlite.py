"""Copies of SQLite databases, made while they are in use, and put back in one step."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from accounts.database_failure import failure_of, text_of
from operators.backup.manifest import HalfRestored, UnusableBackup

BESIDE = ("-wal", "-shm", "-journal")


class _Damaged(sqlite3.DatabaseError):
    """What SQLite's own look at a whole file has found."""

    sqlite_errorname = "SQLITE_CORRUPT"


def dump(database: str, file: Path) -> None:
    """A whole copy of one moment, by SQLite's online backup."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(file)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def drafted(file: Path, database: str, statements: Iterable[str]) -> Iterator[Callable[[], None]]:
    """The copy with the statements applied lies beside the database; what is yielded puts it in the database's place.

    Both raise UnusableBackup, and then nothing has changed; the second also HalfRestored. No draft is left.
    """
    draft = Path(f"{database}.restored")
    try:
        with _told_as_unusable(file):
            draft.unlink(missing_ok=True)
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            dump(str(file), draft)
            _change(draft, statements)
            _sync(draft)
        yield lambda: _replace(database, draft, file)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _replace(database: str, draft: Path, file: Path) -> None:
    with _told_as_unusable(file):
        _fold_journals(database)
        for suffix in BESIDE:
            Path(f"{database}{suffix}").unlink(missing_ok=True)
        os.replace(draft, database)
    try:
        _sync(Path(database).parent)
    except OSError as error:
        told = f"{database} is that of the backup, but may not be after a loss of power ({error.strerror})."
        raise HalfRestored(f"{told} Restore again.") from None


def _fold_journals(database: str) -> None:
    """What lies in the journals beside goes into the file, which then is whole without them until it is replaced."""
    try:
        with closing(sqlite3.connect(database, timeout=0)) as old:
            old.execute("PRAGMA schema_version").fetchone()  # takes back what a transaction has left half done
            is_busy, *_ = old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError as error:  # one that is damaged goes anyway
        is_busy = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    if is_busy:
        raise UnusableBackup(f"{database} is in use: stop the servers and workers.")


@contextmanager
def _told_as_unusable(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise UnusableBackup(f"A copy of {file} {failure_of(error).what} ({text_of(error)}).") from None
    except OSError as error:
        raise UnusableBackup(f"A copy of {file} cannot be put into place ({error.strerror}).") from None


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
