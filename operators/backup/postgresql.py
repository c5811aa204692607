"""Dumps of PostgreSQL databases by its own programs, and their restore in one transaction."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from operators.backup.manifest import UnusableBackup

_OURS = {"server_side_binding", "prepare_threshold"}  # of the options those that libpq does not know
CONNECTION = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}

# What this role owns in its schema, extensions apart: pg_restore drops only what the dump has, and tables of a newer
# version would be in the way of its foreign keys now, and of the migration that makes them later. The search path: who
# restores may be a superuser, and the schema holds functions of others.
EMPTYING = """SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;
DO $emptying$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY ARRAY(
    SELECT format('DROP %s IF EXISTS public.%I CASCADE', kind.name, relation.relname)
      FROM pg_catalog.pg_class AS relation
      JOIN (VALUES ('r', 'TABLE'), ('p', 'TABLE'), ('f', 'FOREIGN TABLE'), ('v', 'VIEW'), ('m', 'MATERIALIZED VIEW'),
                   ('S', 'SEQUENCE')) AS kind (letter, name) ON kind.letter = relation.relkind::text
     WHERE relation.relnamespace = 'public'::regnamespace AND pg_catalog.pg_has_role(relation.relowner, 'USAGE')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS part
                        WHERE part.classid = 'pg_class'::regclass AND part.objid = relation.oid AND part.deptype = 'e')
     ORDER BY relation.relkind = 'S'  -- those of columns go with their tables
  ) || ARRAY(
    SELECT format('DROP ROUTINE IF EXISTS public.%I(%s) CASCADE', routine.proname,
                  pg_catalog.pg_get_function_identity_arguments(routine.oid))
      FROM pg_catalog.pg_proc AS routine
     WHERE routine.pronamespace = 'public'::regnamespace AND pg_catalog.pg_has_role(routine.proowner, 'USAGE')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS part
                        WHERE part.classid = 'pg_proc'::regclass AND part.objid = routine.oid AND part.deptype = 'e')
  ) LOOP
    EXECUTE statement;
  END LOOP;
END
$emptying$;
"""


class ProgramFailed(Exception):
    """pg_dump, pg_restore or psql is not here, or said why it failed."""


def dump(settings: Mapping[str, Any], file: Path) -> None:
    """A whole copy of one moment. Raises ProgramFailed."""
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--file={file}"]
    _run(["pg_dump", *options, _connection(settings)], settings)


@contextmanager
def drafted(file: Path, settings: Mapping[str, Any], statements: Iterable[str]) -> Iterator[Callable[[], None]]:
    """The SQL of what was dumped lies beside it; what is yielded puts that, with the statements applied, in the place
    of what is there, in one transaction.

    Both raise ProgramFailed, and then nothing has changed; the first also UnusableBackup. No SQL is left.
    """
    script, connection = file.with_suffix(".sql"), _connection(settings)
    try:
        try:
            script.unlink(missing_ok=True)
            script.touch(mode=0o600)
            options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", f"--file={script}"]
            _run(["pg_restore", *options, file], settings)
            with script.open("a", encoding="utf-8") as added:
                added.write(ending(statements))
        except OSError as error:
            raise UnusableBackup(f"{script} cannot be written ({error.strerror}).") from None
        replacing = ["psql", "--no-psqlrc", "--quiet", "--output=/dev/null", "--single-transaction"]
        replacing += ["--set=ON_ERROR_STOP=1", f"--command={EMPTYING}"]
        yield lambda: _run([*replacing, f"--file={script}", connection], settings)
    finally:
        with suppress(OSError):
            script.unlink(missing_ok=True)


def ending(statements: Iterable[str]) -> str:
    """The statements as the last part of what pg_restore writes, which leaves no search path."""
    return "\n".join(["", "SET search_path TO public;", *(f"{statement};" for statement in statements), ""])


def _connection(settings: Mapping[str, Any]) -> str:
    """What the URL says beside names: TLS, which of several hosts, how long to wait."""
    from psycopg.conninfo import make_conninfo  # an extra: it is installed where a database is a PostgreSQL

    options = settings["OPTIONS"].items()
    if "sslpassword" in settings["OPTIONS"]:
        what = "sslpassword in the URL of the database would be seen by everybody on the machine"
        raise ProgramFailed(f"{what}: give the key of the client certificate no passphrase, but a mode of 0600.")
    return f"--dbname={make_conninfo(**{name: value for name, value in options if name not in _OURS})}"


def _run(command: list[str | Path], settings: Mapping[str, Any]) -> None:
    if shutil.which(str(command[0])) is None:
        raise ProgramFailed(f"{command[0]} is needed and was not found (Debian: postgresql-client).")
    # the password in the environment: a command line is seen by everybody on the machine
    given = {variable: str(settings[name]) for name, variable in CONNECTION.items() if settings.get(name)}
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own programs with fixed arguments
        command, env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProgramFailed(f"{command[0]} failed: {done.stderr.strip()}")
