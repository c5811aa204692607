"""New SQLite files begin by scripts, and are what migrations alone would have made of them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from smartauth.new_databases import SCRIPTS
from tests.new_databases import ALIASES, migrate, migrated_one_by_one
from tests.running import Server
from tests.templates import FILES

pytestmark = pytest.mark.one_engine

CREATE = "from smartauth import new_databases; new_databases.create_tables()"
# what happens where a script has run in part
BREAK_OFF = """
import os, signal
from smartauth import new_databases as new

def half(script, whole=new._statements):
    found = [*whole(script)]
    yield from found[: len(found) // 2]
    {}

new._statements = half
new.create_tables()
"""
# numbers of rows that Django adds after migrations, in the order in which it comes upon their models
ROWS = {
    "django_migrations": "SELECT app, name FROM django_migrations",
    "django_content_type": "SELECT app_label, model FROM django_content_type",
    "auth_permission": (
        "SELECT app_label, model, codename, name FROM auth_permission"
        " JOIN django_content_type ON content_type_id = django_content_type.id"
    ),
}


@pytest.fixture
def new() -> Iterator[Server]:
    """One that has no databases yet."""
    made = Server()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def by_migrations() -> Iterator[list[dict[str, Any]]]:
    """What each database holds that has met no script."""
    made = migrated_one_by_one()
    try:
        yield content(made)
    finally:
        made.remove()


def content(server: Server) -> list[dict[str, Any]]:
    """For each database how its tables, indexes and triggers were made, and the rows of each table."""
    found = []
    for file in FILES:
        with closing(sqlite3.connect(server.folder / file)) as opened:
            made = opened.execute(
                "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
            )
            tables: dict[str, Any] = {str(name): str(sql) for name, sql in made}
            for name in [name for name, sql in tables.items() if sql.startswith("CREATE TABLE")]:
                rows = opened.execute(ROWS.get(name, f'SELECT * FROM "{name}"')).fetchall()
                tables[f"rows of {name}"] = sorted(rows)
        found.append(tables)
    return found


def test_with_what_was_added_since_it_is_the_database_that_migrations_make(
    new: Server, by_migrations: list[dict[str, Any]]
) -> None:
    new.manage("shell", "-c", CREATE)
    migrate(new)

    assert content(new) == by_migrations


def test_little_is_left_to_migrate() -> None:
    """Else `make tables` writes the scripts anew: the first start is as slow as what they lack."""
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None).disk_migrations or ())

    for alias in ALIASES:
        script = (SCRIPTS / f"{alias}.sql").read_text(encoding="utf-8")
        noted = set(re.findall(r"""INTO "django_migrations" VALUES\(\d+,'(\w+)','(\w+)'""", script))
        assert noted <= known
        assert len(known - noted) < 10


def test_a_database_that_holds_anything_is_left_as_it_is(new: Server) -> None:
    for file in FILES:
        with closing(sqlite3.connect(new.folder / file)) as opened, opened:
            opened.execute("CREATE TABLE another (number integer)")
            opened.execute("INSERT INTO another VALUES (7)")
    before = content(new)

    new.manage("shell", "-c", CREATE)

    assert content(new) == before
    assert before[0]["rows of another"] == [(7,)]


@pytest.mark.parametrize(
    ("how", "reason"),
    [("os.kill(os.getpid(), signal.SIGKILL)", r"failed \(-9\)"), ("yield 'no statement'", 'near "no": syntax error')],
    ids=["kill", "error"],
)
def test_what_was_broken_off_leaves_nothing_and_begins_again(
    new: Server, by_migrations: list[dict[str, Any]], how: str, reason: str
) -> None:
    with pytest.raises(AssertionError, match=reason):
        new.manage("shell", "-c", BREAK_OFF.format(how))
    assert content(new)[0] == {}

    new.manage("shell", "-c", CREATE)
    migrate(new)

    assert content(new) == by_migrations


def test_dev_begins_by_the_scripts(new: Server) -> None:
    seen = "import smartauth.management.commands.dev as dev; dev.create_tables = lambda: print('by the scripts')"
    stopped = "dev.call_command = lambda *_, **__: exit(); dev.Command()._prepare()"  # before anything is migrated

    assert "by the scripts" in new.manage("shell", "-c", f"{seen}; {stopped}")
