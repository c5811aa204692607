"""The URL of a PostgreSQL database, as libpq reads it, and what Django makes of it."""

from typing import Any

from smart.clients.redirect_uris import LOOPBACK_HOSTS

SCHEMES = ("postgresql", "postgres")
# For each host. libpq's own default is to wait as long as the network does.
CONNECT_SECONDS = 5
# Of several hosts the one that takes writes: a standby knows less than what was acknowledged. A machine that is gone
# without a word is noticed by what it leaves unanswered.
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "target_session_attrs": "read-write",
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_TAKES_WRITES = ("read-write", "primary")
_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def is_postgresql(url: str) -> bool:
    """Whether it is a postgresql:// URL that names a database, and no server that only reads."""
    if url.partition("://")[0] not in SCHEMES or " " in url:
        return False
    found = _read(url)
    ports = str(found.get("port", "5432")).split(",")
    if found.get("target_session_attrs", "read-write") not in _TAKES_WRITES:
        return False
    return bool(found.get("dbname")) and "/" not in _path(url) and all(not port or _is_port(port) for port in ports)


def _read(url: str) -> dict[str, Any]:
    """What libpq reads there; nothing where it does not read it."""
    from psycopg import ProgrammingError

    try:
        return _conninfo(url)
    except (ProgrammingError, ValueError):
        return {}


def _path(url: str) -> str:
    """What follows the hosts; urlsplit reads no list of them in which there are IPv6 addresses."""
    return url.partition("://")[2].partition("?")[0].partition("/")[2]


def _conninfo(url: str) -> dict[str, Any]:
    """As libpq reads it. Its driver is loaded here: a command without PostgreSQL starts a fifth sooner."""
    from psycopg.conninfo import conninfo_to_dict

    return conninfo_to_dict(url)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65_535


def django_database(url: str) -> dict[str, Any]:
    """Engine, names and options; what libpq takes beside them (`sslmode` and the like) goes on to it.

    Several hosts, `postgresql://a,b:5433/name`, are tried in turn at each new connection.
    """
    found = {**_DEFAULTS, **_conninfo(url)}
    named = {ours: str(found.pop(theirs, "")) for theirs, ours in _NAMES.items()}
    return {"ENGINE": "smartauth.postgresql", **named, "OPTIONS": found}


def is_same_database(one: str, other: str) -> bool:
    """Whether both URLs say themselves that they name one database. Of other names the servers are asked at start."""
    return not _places(one).isdisjoint(_places(other))


def _places(url: str) -> set[tuple[str, str, str]]:
    """Host, port and database of each server that libpq would try; none of a text that it does not read."""
    found = _read(url) if url else {}
    if not found.get("dbname"):
        return set()
    hosts = str(found.get("hostaddr") or found.get("host") or "").split(",")
    ports = str(found.get("port") or "").split(",")
    every_port = ports * len(hosts) if len(ports) == 1 else ports  # one stands for all of them
    return {
        (_host(host), port.lstrip("0") or "5432", str(found["dbname"]))
        for host, port in zip(hosts, every_port, strict=False)
    }


def _host(text: str) -> str:
    host = text.lower().removesuffix(".")
    return "localhost" if host in LOOPBACK_HOSTS else host
