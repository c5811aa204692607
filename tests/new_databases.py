"""The scripts by which new SQLite files begin, as today's migrations make them: `python -m tests.new_databases`."""

import re
import sqlite3
from contextlib import closing

from smartauth.new_databases import SCRIPTS
from tests.running import Server
from tests.templates import FILES

ALIASES = ("default", "audit")
# when a migration was applied is when the script runs
MOMENT = (r"""(INSERT INTO "django_migrations" VALUES\(.*,)'[^']*'\);""", r"\1strftime('%Y-%m-%d %H:%M:%f', 'now'));")


def script(file: str) -> str:
    """What makes that file of a database once more, without the transaction around it."""
    with closing(sqlite3.connect(file)) as opened:
        _, *statements, _ = opened.iterdump()
    statements.sort(key=lambda statement: not statement.startswith("CREATE TABLE"))  # rows refer to other tables
    return "".join(f"{re.sub(*MOMENT, statement)}\n" for statement in statements)


def migrated_one_by_one() -> Server:
    """A server that does not run, with databases for which no script was used."""
    made = Server()
    migrate(made)
    return made


def migrate(server: Server) -> None:
    """What is left to do in its databases."""
    for alias in ALIASES:
        server.manage("migrate", "--database", alias, "--verbosity", "0")


if __name__ == "__main__":
    server = migrated_one_by_one()
    try:
        for alias, name in zip(ALIASES, FILES, strict=True):
            (SCRIPTS / f"{alias}.sql").write_text(script(str(server.folder / name)), encoding="utf-8")
    finally:
        server.remove()
