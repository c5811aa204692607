"""The engine of a database: PostgreSQL, or SQLite."""

from functools import cache

from django.db import connections


@cache  # to find a connection costs more than to ask it
def is_on_postgresql(alias: str = "default") -> bool:
    """Whether that database is a PostgreSQL."""
    return bool(connections[alias].vendor == "postgresql")
