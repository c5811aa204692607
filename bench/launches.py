"""What a launch costs this server in CPU time: with a sign-in by password, and in a session that lasts.

One process, asked by the app of the tests, one step after the other; each launch is consented to, its code exchanged.
"""

import os
from collections.abc import Callable
from pathlib import Path

import django
import psycopg
from psycopg import sql

from bench import tables
from bench.contenders import cpu_seconds
from tests.flows.app import StandaloneLaunch, follow, send_form
from tests.running import Server

EACH, ROUNDS = 10, 5
TRAIL = (
    ("SMARTAUTH_DATABASE_URL", "audit_outboxevent"),
    ("SMARTAUTH_AUDIT_DATABASE_URL", "audit_securityevent"),
)
OWN_KEYS = ("SMARTAUTH_SECRET_KEY", "SMARTAUTH_KEY_ENCRYPTION_KEYS")
PERSON = {"username": "ben", "scope": "launch/patient patient/*.rs"}  # has one patient: nothing to choose


def sign_in(server: Server) -> None:
    """Authorize, sign-in with a password, consent, exchange."""
    app = StandaloneLaunch(server, **PERSON)
    assert app.exchange(app.code()).status_code == 200


def in_session(server: Server) -> Callable[[], None]:
    """Authorize and consent by a browser that is signed in, exchange."""
    app = StandaloneLaunch(server, **PERSON)
    app.code()

    def launch() -> None:
        page = follow(app.browser, app.browser.get("/o/authorize", params=app.request))
        if page.status_code == 200:
            page = send_form(app.browser, page, answer="allow")
        assert app.exchange(page.headers["Location"].partition("code=")[2].partition("&")[0]).status_code == 200

    return launch


def launch_table(folder: Path, database: int) -> str:
    """A table of both, on databases of their own in that PostgreSQL."""
    os.environ.update({"DJANGO_SETTINGS_MODULE": "smartauth.settings", "TEST_TEMPLATES": str(folder)})
    for variable in OWN_KEYS:  # the server of the tests brings its own
        os.environ.pop(variable)
    django.setup()
    server = Server(SMARTAUTH_FAILURE_LIMIT="10000")
    try:
        server.prepare()
        server.start()
        return "\n".join(
            [
                "| A launch | CPU ms: server | database | events |\n|---|---|---|---|",
                _row("with a sign-in", server, database, lambda: sign_in(server)),
                _row("in a session", server, database, in_session(server)),
            ]
        )
    finally:
        server.remove()


def _row(name: str, server: Server, database: int, work: Callable[[], None]) -> str:
    """CPU time of one launch, the median of some rounds."""
    assert server.running is not None
    rounds = []
    work()
    events = _events(server)
    for _ in range(ROUNDS):
        before = cpu_seconds(server.running.pid), cpu_seconds(database)
        for _ in range(EACH):
            work()
        after = cpu_seconds(server.running.pid), cpu_seconds(database)
        rounds.append([1000 * (late - early) / EACH for early, late in zip(before, after, strict=True)])
    spent = " | ".join(tables.spread(column, ".0f") for column in zip(*rounds, strict=True))
    return f"| {name} | {spent} | {(_events(server) - events) / (ROUNDS * EACH):.1f} |"


def _events(server: Server) -> int:
    """Those that wait and those that are in the trail."""
    count = 0
    for variable, table in TRAIL:
        with psycopg.connect(server.environment[variable]) as connection:
            found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            count += found[0] if found else 0
    return count
