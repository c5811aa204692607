"""What a server's databases hold, seen from outside its processes."""

import sqlite3
from typing import Any, Literal

import psycopg

from tests.running import Server

_PLACES = {
    "main": ("SMARTAUTH_DATABASE_URL", "smartauth.sqlite3"),
    "audit": ("SMARTAUTH_AUDIT_DATABASE_URL", "audit.sqlite3"),
}


def rows(server: Server, database: Literal["main", "audit"], statement: str) -> list[tuple[Any, ...]]:
    """All rows of a statement, on a connection of its own."""
    variable, file = _PLACES[database]
    url = server.environment.get(variable)
    if url:
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchall()
    with sqlite3.connect(server.folder / file, timeout=20) as opened:
        found: list[tuple[Any, ...]] = opened.execute(statement).fetchall()
        return found
