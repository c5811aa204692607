"""A server that could not check does not serve, however it was started."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from cryptography.fernet import Fernet
from django.db import DataError, OperationalError, ProgrammingError, connections

from operators import health, readiness
from smartauth import startup_checks
from smartauth.startup_checks import NotYet, StartupGate, UnsafeStart
from smartauth.wsgi import application
from tests.conftest import App
from tests.running import ROOT, Server
from tests.waiting import wait_until

MIGRATE_TRAIL = "from audit.migrating import migrate_trail; migrate_trail()"
PATHS = ["/", "/login", "/readyz", "/o/jwks", "/o/token", "/o/introspect", "/fhir/r4/metadata", "/static/smartauth.css"]


def production() -> dict[str, str]:
    """Settings with which a server on loopback counts as production."""
    secret = Fernet.generate_key().decode()
    return {"SMARTAUTH_DEV": "false", "SMARTAUTH_SECRET_KEY": secret, "SMARTAUTH_KEY_ENCRYPTION_KEYS": secret}


@contextmanager
def without_lifespan(server: Server) -> Iterator[None]:
    """The server as somebody starts it who knows uvicorn only."""
    command = [sys.executable, "-m", "uvicorn", "smartauth.asgi:application", f"--port={server.port}", "--lifespan=off"]
    with (server.folder / "server.log").open("ab") as log:
        running = subprocess.Popen(command, env=server.environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        server.running = running
        server.wait()
        yield
    finally:
        server.running = None
        running.kill()
        running.wait(30)


@pytest.fixture
def bare() -> Iterator[Server]:
    """A server that nobody has prepared."""
    made = Server()
    try:
        yield made
    finally:
        made.remove()


@pytest.mark.requirement("SB-07")
def test_without_its_database_a_server_answers_that_it_runs_and_nothing_else(bare: Server) -> None:
    bare.environment["SMARTAUTH_DATABASE_URL"] = "postgresql://smartauth@127.0.0.1:1/smartauth"

    bare.start()

    assert httpx.get(f"{bare.url}/healthz").status_code == 200
    assert {path: httpx.get(bare.url + path).status_code for path in PATHS} == dict.fromkeys(PATHS, 503)
    assert bare.log().count("no request is served: The database default does not answer") == 1


def test_a_server_serves_once_its_migrations_are_there_and_is_ready_once_those_of_the_trail_are(bare: Server) -> None:
    bare.start()
    before = httpx.get(f"{bare.url}/login").status_code

    bare.manage("migrate")
    serves = wait_until(lambda: httpx.get(f"{bare.url}/login", timeout=10).status_code == 200)
    unready = httpx.get(f"{bare.url}/readyz")
    bare.manage("shell", "--no-imports", "-c", MIGRATE_TRAIL)
    ready = httpx.get(f"{bare.url}/readyz")

    assert (before, serves) == (503, True)
    databases = {"default": "ok", "audit": "migrations are missing"}
    assert (unready.status_code, unready.json()["databases"]) == (503, databases)
    assert (ready.status_code, ready.json()["signing_keys"]) == (200, "ok")


@pytest.mark.requirement("DS-24", "SB-07")
def test_demo_passwords_are_refused_without_a_lifespan_too(bare: Server) -> None:
    bare.prepare()
    bare.environment.update(production())

    with without_lifespan(bare):
        answers = {path: httpx.get(bare.url + path).status_code for path in PATHS}

    assert answers == dict.fromkeys(PATHS, 503)
    assert "Demo data with public passwords is in the database" in bare.log()


@pytest.mark.requirement("DS-24", "SB-07")
def test_a_start_with_demo_passwords_ends_with_a_sentence(bare: Server) -> None:
    bare.prepare()
    bare.environment.update(production())

    with pytest.raises(AssertionError, match="smartauth does not start: Demo data with public passwords"):
        bare.start()

    assert bare.running is not None
    assert bare.running.poll() not in (None, 0)
    assert "Traceback" not in bare.log()


def test_a_server_of_production_is_asked_by_address_for_its_health_and_its_keys(bare: Server) -> None:
    bare.environment.update(production(), SMARTAUTH_ISSUER="https://auth.example.org")
    bare.migrate()
    bare.start()

    by_address = f"http://127.0.0.1:{bare.port}"
    assert httpx.get(f"{by_address}/healthz").status_code == 200
    assert httpx.get(f"{by_address}/readyz").status_code == 200
    assert httpx.get(f"{by_address}/o/jwks").headers["Location"] == "https://auth.example.org/o/jwks"
    assert httpx.get(f"{by_address}/login").status_code == 400


# The gate -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> StartupGate:
    """The gate of this process, closed, in front of checks that fail."""

    monkeypatch.setattr(startup_checks, "check_database", Checks(*[RuntimeError("it failed")] * 99))
    monkeypatch.setattr(startup_checks.gate, "is_open", False)
    monkeypatch.setattr(startup_checks.gate, "_next_try", 0.0)
    return startup_checks.gate


def asked_by_wsgi(path: str) -> str:
    """The status with which the WSGI application answers."""
    said: list[str] = []
    environ: dict[str, Any] = {"PATH_INFO": path, "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(environ)
    assert b"".join(application(environ, lambda status, headers: said.append(status)))
    return said[0]


@pytest.mark.parametrize("path", PATHS)
def test_a_closed_gate_answers_503_everywhere(app: App, closed: StartupGate, path: str) -> None:
    response = app.get(path)

    assert response.status_code == 503
    assert response.json()["error"] == "temporarily_unavailable"
    assert int(response.headers["Retry-After"]) > 0
    assert app.get("/healthz").status_code == 200


def test_the_wsgi_application_alone_has_the_same_gate(closed: StartupGate) -> None:
    assert asked_by_wsgi("/login") == "503 Service Unavailable"
    assert asked_by_wsgi("/healthz") == "200 OK"


class Checks:
    """Checks that fail in the order given, then pass; counted."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.made = 0

    def __call__(self) -> None:
        self.made += 1
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question tries the checks again."""
    monkeypatch.setattr(startup_checks, "RETRY_SECONDS", 0)


@pytest.mark.parametrize("failure", [RuntimeError("x"), UnsafeStart("x"), NotYet("x"), LookupError(), MemoryError()])
def test_whatever_the_checks_raise_keeps_it_closed(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    monkeypatch.setattr(startup_checks, "check_database", Checks(failure))

    assert not StartupGate().try_open()


def test_a_page_that_cannot_be_loaded_keeps_it_closed(
    settings: Any, committed: None, caplog: pytest.LogCaptureFixture
) -> None:
    gate = StartupGate()
    settings.ROOT_URLCONF = "tests.no_such_pages"

    assert not gate.try_open()

    assert "No module named 'tests.no_such_pages'" in caplog.text
    settings.ROOT_URLCONF = "smartauth.urls"
    gate.open()
    assert gate.is_open


def test_it_opens_by_itself_once_the_checks_pass(monkeypatch: pytest.MonkeyPatch, impatient: None) -> None:
    monkeypatch.setattr(startup_checks, "check_database", Checks(NotYet("migrations are missing")))
    gate = StartupGate()

    assert [gate.try_open(), gate.try_open()] == [False, True]


def test_a_reason_is_logged_once_however_often_somebody_asks(
    monkeypatch: pytest.MonkeyPatch, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(startup_checks, "check_database", Checks(*[UnsafeStart("Demo data is there.")] * 3))
    gate = StartupGate()

    for _ in range(3):
        gate.try_open()

    assert [record.getMessage() for record in caplog.records] == ["no request is served: Demo data is there."]


def test_a_database_that_fails_in_another_way_than_before_is_logged_anew(
    monkeypatch: pytest.MonkeyPatch, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    away, locked = OperationalError("away"), OperationalError("database is locked")
    locked.sqlite_errorname = "SQLITE_BUSY"  # type: ignore[attr-defined]
    monkeypatch.setattr(startup_checks, "check_database", Checks(away, away, locked))
    gate = StartupGate()

    for _ in range(3):
        gate.try_open()

    assert [record.getMessage() for record in caplog.records] == [
        "no request is served: The database default does not answer (away). Start it, or correct "
        "SMARTAUTH_DATABASE_URL.",
        "no request is served: The database default is in use by others, who hold what this needs (database is "
        "locked). Run it again when they have ended.",
    ]


def test_two_unlike_errors_that_nobody_has_words_for_are_both_logged(
    monkeypatch: pytest.MonkeyPatch, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    one, another = ProgrammingError("one"), DataError("another")
    monkeypatch.setattr(startup_checks, "check_database", Checks(one, one, another))
    gate = StartupGate()

    for _ in range(3):
        gate.try_open()

    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [one, another]


def test_between_two_tries_nobody_pays_for_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = Checks(NotYet("migrations are missing"))
    monkeypatch.setattr(startup_checks, "RETRY_SECONDS", 3600)
    monkeypatch.setattr(startup_checks, "check_database", checks)
    gate = StartupGate()

    assert [gate.try_open() for _ in range(3)] == [False] * 3
    assert checks.made == 1


@pytest.fixture
def one_database(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The audit database is the main one under another name; nobody has asked yet."""
    main, audit = (connections[alias] for alias in readiness.DATABASES)
    readiness._is_one_identity.cache_clear()
    monkeypatch.setitem(audit.settings_dict, "NAME", main.settings_dict["NAME"])
    monkeypatch.setitem(audit.settings_dict, "HOST", "localhost")
    audit.close()
    yield
    monkeypatch.undo()
    audit.close()
    readiness._is_one_identity.cache_clear()


@pytest.mark.requirement("SB-07")
@pytest.mark.postgresql
def test_two_names_of_one_database_are_found_out_by_asking_it(one_database: None) -> None:
    assert readiness.are_one_database()


@pytest.mark.requirement("SB-07")
@pytest.mark.postgresql
@pytest.mark.usefixtures("committed")
def test_two_databases_of_one_server_are_not_one() -> None:
    readiness._is_one_identity.cache_clear()

    assert not readiness.are_one_database()


@pytest.mark.requirement("SB-07")
@pytest.mark.postgresql
def test_a_database_that_did_not_answer_at_the_start_is_asked_again_until_it_does(
    one_database: None, settings: Any, rf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMARTAUTH_DEV = False
    audit = connections["audit"]
    with monkeypatch.context() as silent:
        silent.setitem(audit.settings_dict, "PORT", "1")
        assert not readiness.are_one_database()
    audit.close()

    answer = health.readyz(rf.get("/readyz"))

    assert answer.status_code == 503
    assert json.loads(answer.content)["databases"] == {"default": "ok", "audit": "the same as default"}
