"""For load balancers: does the process run, can it serve."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from accounts import clock
from audit.event_kinds import EventKind
from audit.models import Outbox
from audit.trail import Event, record_events
from fhir.audit.models import WaitingEvent
from oauth.http.machine_response import MachineResponse
from oauth.keys import signing_keys
from oauth.models import SigningKey
from operators import health, readiness
from smartauth import asgi, readiness_machine
from smartauth.readiness_machine import ReadinessMachine
from tests.conftest import App


def test_a_running_process_says_so(app: App) -> None:
    response = app.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


def test_a_server_whose_databases_answer_is_ready(app: App) -> None:
    response = app.get("/readyz")

    assert response.status_code == 200
    assert {name: value for name, value in response.json().items() if name != "worker"} == {
        "status": "ok",
        "databases": {"default": "ok", "audit": "ok"},
        "signing_keys": "ok",
    }
    assert "no-store" in response.headers["Cache-Control"]


@pytest.fixture
def nothing_waits(db: None) -> None:
    """Neither an event nor an access of others."""
    Outbox.objects.all().delete()
    WaitingEvent.objects.all().delete()


@pytest.mark.django_db(databases=["default", "audit"])
@pytest.mark.usefixtures("nothing_waits")
@pytest.mark.parametrize(("seconds", "worker"), [(119, "ok"), (121, "late")])
def test_an_event_that_waits_for_two_minutes_says_that_no_worker_runs_and_serving_goes_on(
    seconds: int, worker: str
) -> None:
    signing_keys.ensure_keys()
    record_events(Event(kind=EventKind.TAMPERED, at=clock.now() - seconds * 1_000_000))

    response = health.readyz(RequestFactory().get("/readyz"))

    assert (response.status_code, json.loads(response.content)["worker"]) == (200, worker)


@pytest.mark.django_db(databases=["default", "audit"])
@pytest.mark.usefixtures("nothing_waits")
@pytest.mark.parametrize(
    ("times", "is_late"),
    [({}, True), ({"ready_at": 1}, False), ({"failures": 1}, False), ({"at": 0}, False)],
)
def test_an_access_that_waits_is_looked_for_and_none_are_counted(times: dict[str, int], is_late: bool) -> None:
    before = clock.now() - 121_000_000
    ready_at = times.get("ready_at", 0) and clock.now() - 119_000_000
    WaitingEvent.objects.create(event_id="waits", **{"at": before, "facts": "{}", **times, "ready_at": ready_at})

    with CaptureQueriesContext(connection) as statements:
        assert readiness.is_worker_late() is is_late

    assert len(statements) == 2
    assert not any("COUNT(" in each["sql"] or "MIN(" in each["sql"] for each in statements)


def test_it_answers_while_every_thread_for_pages_is_busy(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object) -> None:
        raise AssertionError("a page was asked")

    monkeypatch.setattr(asgi, "_people", nobody)

    assert app.get("/readyz", headers={"Host": "192.0.2.1"}).status_code == 200


def test_however_many_ask_at_once_the_databases_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    is_open, asked = threading.Event(), list[int]()

    def ask() -> MachineResponse:
        asked.append(1)
        is_open.wait(10)
        return MachineResponse(200)

    async def all_at_once() -> list[MachineResponse]:
        machine = ReadinessMachine()
        waiting = [asyncio.ensure_future(machine.answer()) for _ in range(50)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # who hangs up takes the answer from nobody
        is_open.set()
        return await asyncio.gather(*waiting[1:])

    monkeypatch.setattr(readiness_machine, "_ask", ask)

    assert [answer.status for answer in asyncio.run(all_at_once())] == [200] * 49
    assert len(asked) == 1


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("alias", ["default", "audit"])
def test_a_server_with_a_failing_database_is_not_ready_and_says_which(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, vendor: str, alias: str
) -> None:
    for name, value in {"NAME": "/no-such-folder/hidden", "HOST": "127.0.0.1", "PORT": "1"}.items():
        monkeypatch.setitem(connections.settings[alias], name, value)

    with ThreadPoolExecutor(1) as fresh:
        response = fresh.submit(asked_without_a_connection).result()

    other = "audit" if alias == "default" else "default"
    assert response.status_code == 503
    answer = json.loads(response.content)
    assert (answer["status"], answer["databases"]) == ("failed", {alias: "failed", other: "ok"})
    assert b"hidden" not in response.content
    why = {"postgresql": "does not answer", "sqlite": "has files that this account cannot open or write"}[vendor]
    (told,) = caplog.messages
    assert told.startswith(f"The database {alias} {why} (")
    mend = {"postgresql": f"Start it, or correct {readiness.url_setting(alias)}.", "sqlite": "Let it own them"}[vendor]
    assert f"). {mend}" in told


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_server_without_an_active_key_is_not_ready(algorithm: str) -> None:
    with transaction.atomic():
        SigningKey.objects.filter(algorithm=algorithm, state="active").update(state="retired")
        response = health.readyz(RequestFactory().get("/readyz"))
        transaction.set_rollback(True)

    assert response.status_code == 503
    assert json.loads(response.content)["signing_keys"] == "failed"


def asked_without_a_connection() -> HttpResponse:
    """The answer in a thread that has no database connection yet, and leaves none."""
    try:
        return health.readyz(RequestFactory().get("/readyz"))
    finally:
        connections.close_all()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_allowed(app: App, path: str) -> None:
    response = app.post(path)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
