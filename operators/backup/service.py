"""Making and restoring a backup, whatever the engine."""

import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts import clock
from audit.event_kinds import EventKind
from audit.models import OutboxEvent
from oauth.ending import restored
from oauth.ending.selection import Actor
from operators.backup import postgresql, sqlite
from operators.backup.manifest import HalfRestored, Manifest, UnusableBackup
from smart.time_units import to_datetime
from smartauth_probe import __version__

MAIN, TRAIL = "default", "audit"
FILES = {MAIN: "main", TRAIL: "trail"}


def make_backup(folder: Path) -> Manifest:
    """Copies both databases, each as of one moment, into a new folder for its owner alone.

    The trail is copied first: an event that is in both is known by its id. Raises FileExistsError, ProgramFailed.
    """
    folder.mkdir(mode=0o700, parents=True)
    for alias in (TRAIL, MAIN):
        _dump(alias, folder / FILES[alias])
        os.chmod(folder / FILES[alias], 0o600)
    manifest = Manifest(__version__, _engine(), to_datetime(clock.now()).isoformat(), _all_migrations())
    manifest.write(folder)
    return manifest


def restore_backup(folder: Path, actor: Actor, *, with_trail: bool) -> Manifest:
    """The main database as it was, with everything ended that was granted there, in one step; then the event of it.

    The trail stays, unless it is lost too: then it goes first, once copies of both are there. Raises UnusableBackup or
    ProgramFailed, and then nothing has changed, or HalfRestored.
    """
    manifest = Manifest.read(folder)
    _require_restorable(manifest, folder, with_trail=with_trail)
    connections.close_all()
    with ExitStack() as drafts:
        replace_main = drafts.enter_context(_drafted(MAIN, folder / FILES[MAIN], restored.statements(actor.now)))
        if with_trail:
            drafts.enter_context(_drafted(TRAIL, folder / FILES[TRAIL], ()))()
        try:
            replace_main()
        except (UnusableBackup, postgresql.ProgramFailed) as refused:
            if with_trail:
                half = "The trail is that of the backup, the main database is as it was."
                raise HalfRestored(f"{refused} {half}") from None
            raise
    told = actor.event(EventKind.DATABASE_RESTORED, reason=f"as of {manifest.made_at}")
    # as older processes record: in a backup of theirs this is a table, and what there is today is not there
    OutboxEvent.objects.create(**told._asdict())
    return manifest


def _require_restorable(manifest: Manifest, folder: Path, *, with_trail: bool) -> None:
    if manifest.engine != _engine():
        raise UnusableBackup(f"The backup is of {manifest.engine}, these databases are {_engine()}.")
    for alias in (MAIN, TRAIL) if with_trail else (MAIN,):
        if not (folder / FILES[alias]).is_file():
            raise UnusableBackup(f"{folder / FILES[alias]} is missing.")
        if unknown := set(manifest.migrations.get(alias, ())) - _known_migrations():
            raise UnusableBackup(f"The backup is of a newer version: it has {sorted(unknown)[0]}.")


def _dump(alias: str, file: Path) -> None:
    database = connections[alias].settings_dict
    if _engine() == "sqlite":
        with connections[alias].wrap_database_errors:
            sqlite.dump(str(database["NAME"]), file)
    else:
        postgresql.dump(database, file)


def _drafted(alias: str, file: Path, statements: Iterable[str]) -> AbstractContextManager[Callable[[], None]]:
    """Yields what replaces the database; whatever can fail before has not then."""
    database = connections[alias].settings_dict
    if _engine() == "sqlite":
        return sqlite.drafted(file, str(database["NAME"]), statements)
    return postgresql.drafted(file, database, statements)


def _engine() -> str:
    return connections[MAIN].vendor


def _all_migrations() -> dict[str, list[str]]:
    return {
        alias: sorted(".".join(each) for each in MigrationRecorder(connections[alias]).applied_migrations())
        for alias in (MAIN, TRAIL)
    }


def _known_migrations() -> set[str]:
    return {".".join(each) for each in MigrationLoader(None).disk_migrations}
