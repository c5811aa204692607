"""Databases that are migrated, or migrated and seeded, once in a run by the first that needs them; others copy them.

All workers of a run share them; so do all steps of .ci/run, which names their folder.
"""

import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.apps import apps
from django.db import router
from django.db.models import CharField, TextField

FOLDER = "TEST_TEMPLATES"
ROOT = Path(__file__).resolve().parent.parent
FILES = ("smartauth.sqlite3", "audit.sqlite3")
SECRETS = ("secret-key", "key-encryption-key")


@dataclass(frozen=True)
class Template:
    """What was prepared for a server: its databases, and what a copy needs to know of it."""

    issuer: str
    folder: str  # of its secrets and, on SQLite, of its databases
    databases: list[str]  # URLs on PostgreSQL
    issuer_columns: list[list[str]] = field(default_factory=list)  # tables and columns in which the issuer stands

    def copy_to(self, folder: Path, databases: list[str], issuer: str) -> None:
        """Gives its data to a server that has nothing yet."""
        for model, own in zip(self.databases, databases, strict=True):
            on_postgresql(own, f'DROP DATABASE "{name_of(own)}"')
            on_postgresql(own, f'CREATE DATABASE "{name_of(own)}" TEMPLATE "{name_of(model)}"')
        for name in (*SECRETS, *(() if self.databases else FILES)):
            shutil.copy(Path(self.folder) / name, folder)
        copy = replace(self, folder=str(folder), databases=databases)
        for table, column in self.issuer_columns:
            copy._ask(f"""UPDATE "{table}" SET "{column}" = replace("{column}", '{self.issuer}', '{issuer}')""")

    def with_issuer_columns(self) -> "Template":
        """The same, with every column of text in which the issuer was found."""
        columns = [
            [model._meta.db_table, str(column.column)]
            for model in apps.get_models(include_auto_created=True)
            if model._meta.managed and router.allow_migrate_model("default", model)
            for column in model._meta.local_concrete_fields
            if isinstance(column, CharField | TextField)
        ]
        find = """SELECT 1 FROM "{}" WHERE "{}" LIKE '%{}%' LIMIT 1"""
        return replace(self, issuer_columns=[each for each in columns if self._ask(find.format(*each, self.issuer))])

    def _ask(self, statement: str) -> list[Any]:
        if self.databases:
            with psycopg.connect(self.databases[0]) as connection:
                asked = connection.execute(statement.encode())
                return asked.fetchall() if asked.description else []
        with closing(sqlite3.connect(Path(self.folder) / FILES[0])) as opened, opened:
            return opened.execute(statement).fetchall()


def shared(kind: str, make: Callable[[], Template], tree: Path = ROOT) -> Template:
    """The template of that kind for the code in a tree, made now if nobody has."""
    checkout = sha256(str(tree).encode()).hexdigest()[:8]  # a test may run the tests of a changed copy
    place = Path(os.environ[FOLDER]) / f"{kind}-{checkout}"
    place.mkdir(mode=0o700, exist_ok=True)
    described = place / "template.json"
    with (place / ".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not described.exists():
            made = make()
            shutil.move(made.folder, place / "data")
            described.write_text(json.dumps(asdict(made) | {"folder": str(place / "data")}), encoding="utf-8")
    return _read(described)


def _read(described: Path) -> Template:
    return Template(**json.loads(described.read_text(encoding="utf-8")))


def on_postgresql(url: str, statement: str) -> None:
    """Runs a statement that needs another database of the same cluster to stand in."""
    with psycopg.connect(named(url, "postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


def named(url: str, database: str) -> str:
    """The URL of another database of that cluster."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def drop(url: str) -> None:
    """Drops that database, even if it is still in use."""
    on_postgresql(url, f'DROP DATABASE IF EXISTS "{name_of(url)}" WITH (FORCE)')


def name_of(url: str) -> str:
    """The database that a URL names."""
    return urlsplit(url).path.lstrip("/")


# One folder for a run -------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Before any worker starts: workers inherit the environment."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="smartauth-templates-")
        config.add_cleanup(_remove_all)


def _remove_all() -> None:
    folder = Path(os.environ.pop(FOLDER))
    for described in folder.glob("*/template.json"):
        for url in _read(described).databases:
            drop(url)
    shutil.rmtree(folder, ignore_errors=True)
