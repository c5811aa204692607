"""How PostgreSQL runs the statements of a batch on full tables: the plans that this server's connections keep.

Imported after Django is set up.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql

from accounts import clock
from bench.contenders import APPS, Contender
from introspection import gathered_revocation as revocation
from introspection.token_lookup import POSTGRESQL
from oauth.http.postgresql_session import KEPT_PLANS
from oauth.models.sql import numbered
from oauth.tokens import gathered_client_credentials as client_credentials
from oauth.tokens import gathered_exchange as exchange
from oauth.tokens import gathered_refresh as refresh
from oauth.tokens import gathered_seats as seats
from smart.time_units import DAY
from smart.tokens.lifetimes import ends_of_live_tokens

TOGETHER = 16
_UNUSED = "SELECT digest FROM {} WHERE consumed_at = 0 ORDER BY id DESC LIMIT %s"
_SEATS = "SELECT key FROM oauth_seat ORDER BY id DESC LIMIT %s"


class Question(NamedTuple):
    """A statement as a batch asks it."""

    name: str
    text: str
    values: Sequence[str | int]


def questions(connection: psycopg.Connection, contender: Contender) -> Iterator[Question]:
    """Of introspection, and of what issues, exchanges, refreshes and revokes."""
    live = _array(hashlib.sha256(token.encode()).hexdigest() for token, _ in contender.tokens[:TOGETHER])
    ends = ends_of_live_tokens(clock.now())
    callers = _array(["resource-server"] * TOGETHER)
    yield Question("Introspection, the look-up", POSTGRESQL, [live, callers, *ends])
    services = json.dumps([f"service-{number}" for number in range(min(TOGETHER, APPS))])
    read = client_credentials._SERVICES.text
    yield Question("client_credentials, the clients and authorizations", read, [TOGETHER, services])
    # as if none might be kept: the tokens that lose are the newest of these seats
    keys = json.dumps([{"key": key, "issues": 1, "keep": 0} for key in _first(connection, _SEATS)])
    yield Question("Seats are taken", seats._TAKE.text, [keys])
    yield Question("Tokens that lose their seats", seats._LOSERS.text, [keys, *ends])
    codes = _array(_first(connection, _UNUSED.format("oauth_code")))
    yield Question("Code exchange, the codes", exchange._CODES.text, [codes])
    (newest,) = connection.execute("SELECT max(expires_at) / %s FROM oauth_refreshtoken", (DAY,)).fetchone() or (0,)
    tokens = [_array(_first(connection, _UNUSED.format("oauth_refreshtoken"))), newest * DAY, (newest + 1) * DAY - 1]
    yield Question("Refresh, the tokens and their seats", refresh._REFRESHES.text, [*ends, *tokens])
    yield Question("Revocation, the tokens", revocation._TOKENS.text, [live, *ends])


def plan(connection: psycopg.Connection, question: Question) -> Iterator[str]:
    """The lines of EXPLAIN (ANALYZE, BUFFERS). What the statement changes is undone."""
    values = sql.SQL(", ").join(map(sql.Literal, question.values))
    with connection.transaction(force_rollback=True):
        for name, value in KEPT_PLANS.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        connection.execute(f"PREPARE asked AS {numbered(question.text)}".encode())
        explained = sql.SQL("EXPLAIN (ANALYZE, BUFFERS) EXECUTE asked ({})").format(values)
        yield from [line for (line,) in connection.execute(explained).fetchall()]
        connection.execute("DEALLOCATE asked")


def _first(connection: psycopg.Connection, text: str) -> list[str]:
    return [found for (found,) in connection.execute(text.encode(), (TOGETHER,)).fetchall()]


def _array(texts: Iterator[str] | Sequence[str]) -> str:
    return "{" + ",".join(texts) + "}"
