"""The URL of a PostgreSQL database, as libpq reads it, and what Django makes of it."""

from typing import Any
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
SCHEMES = ("postgresql", "postgres")
_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def is_postgresql(url: str) -> bool:
    """Whether it is a postgresql:// URL that names a database."""
    if url.partition("://")[0] not in SCHEMES or " " in url:
        return False
    try:
        found = conninfo_to_dict(url)
        path = urlsplit(url).path
    except (ProgrammingError, ValueError):
        return False
    ports = str(found.get("port", "5432")).split(",")
    return bool(found.get("dbname")) and path.count("/") < 2 and all(map(_is_port, ports))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65_535


def django_database(url: str) -> dict[str, Any]:
    """Engine, names and options; what libpq takes beside them (`sslmode` and the like) goes on to it."""
    found = conninfo_to_dict(url)
    named = {ours: str(found.pop(theirs, "")) for theirs, ours in _NAMES.items()}
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": found}


def is_same_database(one: str, other: str) -> bool:
    """Whether both URLs say themselves that they name one database. Of other names the servers are asked at start."""
    return bool(one and other) and _place(one) == _place(other)


def _place(url: str) -> tuple[str, int, str]:
    found = conninfo_to_dict(url)
    host = str(found.get("hostaddr") or found.get("host") or "").lower().removesuffix(".")
    return "localhost" if host in _LOOPBACK else host, int(found.get("port") or 5432), str(found.get("dbname"))
