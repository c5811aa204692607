"""The bundled FHIR server tells of what it refused: of what, how often, and at nobody's expense."""

import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings

from fhir.token import refusal_reports
from tests.fhir.conftest import Introspection
from tests.fixture_types import Fetch
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("records")


class Listener(ThreadingHTTPServer):
    """An authorization server that hears reports."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[dict[str, Any]] = []
        self.credentials: set[str] = set()
        self.status = 204

    def waits_for(self, number: int) -> list[dict[str, Any]]:
        """What was heard once there are so many reports, or after the time that a slow machine needs."""
        wait_until(lambda: len(self.heard) >= number)
        return self.heard


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        self.server.credentials.add(self.headers.get("Authorization", ""))
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def reports(monkeypatch: pytest.MonkeyPatch) -> refusal_reports.RefusalReports:
    """Reports in which nothing waits of another test."""
    monkeypatch.setattr(refusal_reports, "INTERVAL_SECONDS", 0.3)
    made = refusal_reports.RefusalReports()
    monkeypatch.setattr("fhir.http.views.reports", made)
    return made


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listener]:
    server = Listener()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SMARTAUTH_FHIR_REPORT_URL = f"http://127.0.0.1:{server.server_address[1]}/o/report"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.requirement("SD-05", "HI-08")
def test_what_a_token_may_not_do_is_told_together(
    fetch: Fetch, introspection: Introspection, listener: Listener
) -> None:
    introspection.knows("patient/Patient.r patient/Observation.r", patient="amy")

    statuses = [fetch(path, token="spam").status for path in ("Patient/ben", "Condition/x", "Patient/ben", "Patient/u")]
    heard = listener.waits_for(2)

    assert statuses == [404, 403, 404, 404]
    assert sorted(heard, key=lambda told: told["status"]) == [
        {"token": "spam", "status": 403, "count": 1},
        {"token": "spam", "status": 404, "count": 3},
    ]
    assert listener.credentials == {"Basic ZGVtby1yZXNvdXJjZS1zZXJ2ZXI6ZGVtby1yZXNvdXJjZS1zZXJ2ZXItc2VjcmV0"}


@pytest.mark.requirement("HI-01", "SD-26")
def test_an_unknown_id_is_told_like_another_patients(
    fetch: Fetch, introspection: Introspection, listener: Listener
) -> None:
    introspection.knows("patient/Patient.r", patient="amy")

    fetch("Patient/ben", token="hidden")
    fetch("Patient/no-such-id", token="unknown")

    told = {report["token"]: (report["status"], report["count"]) for report in listener.waits_for(2)}
    assert told == {"hidden": (404, 1), "unknown": (404, 1)}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("Patient/amy", id="allowed"),
        pytest.param("Patient?_id=ben", id="an empty search"),
        pytest.param("Flag/x", id="a type that is not held"),
        pytest.param("nowhere/at/all", id="a path at which nothing is"),
        pytest.param("Patient?_count=x", id="a request that nobody understands"),
    ],
)
def test_what_breaks_no_rule_is_not_told(
    fetch: Fetch, introspection: Introspection, listener: Listener, path: str
) -> None:
    introspection.knows("patient/*.rs", patient="amy")

    fetch(path, token="harmless")
    fetch("Patient/ben", token="afterwards")

    assert [told["token"] for told in listener.waits_for(1)] == ["afterwards"]


def test_a_dead_token_or_none_is_not_told(fetch: Fetch, introspection: Introspection, listener: Listener) -> None:
    introspection.says(active=False)
    assert fetch("Patient/amy", token="dead").status == 401
    assert fetch("Patient/amy", token=None).status == 401
    introspection.knows("patient/Patient.r", patient="amy")

    fetch("Patient/ben", token="alive")

    assert [told["token"] for told in listener.waits_for(1)] == ["alive"]


def test_an_answer_does_not_wait_for_a_server_that_does_not_answer(
    fetch: Fetch, introspection: Introspection, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    introspection.knows("patient/Patient.r", patient="amy")
    monkeypatch.setattr(refusal_reports, "TIMEOUT", 20)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.SMARTAUTH_FHIR_REPORT_URL = f"http://127.0.0.1:{silent.getsockname()[1]}/o/report"
        statuses = {fetch("Patient/ben", token="waits").status for _ in range(3)}

        assert statuses == {404}
        assert wait_until(lambda: bool(select([silent], [], [], 0)[0]))
        assert "could not be reported" not in caplog.text

    assert wait_until(lambda: "could not be reported" in caplog.text)  # it has given up, before the settings change


def test_after_a_failure_the_next_ones_are_told(
    fetch: Fetch, introspection: Introspection, listener: Listener, settings: Settings
) -> None:
    introspection.knows("patient/Patient.r", patient="amy")
    listener.status = 503
    fetch("Patient/ben", token="lost")
    listener.waits_for(1)
    listener.status = 204

    fetch("Patient/ben", token="told")

    assert [told["token"] for told in listener.waits_for(2)] == ["lost", "told"]


@pytest.mark.requirement("SD-05")
def test_a_report_goes_to_its_server_alone_and_counts_to_a_thousand(
    listener: Listener, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    listener.status = 307

    refusal_reports._send(Counter({("spam", 404): 1001}), settings.SMARTAUTH_FHIR_REPORT_URL)

    assert listener.heard == [{"token": "spam", "status": 404, "count": 1000}]


def test_what_waits_is_bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMARTAUTH_FHIR_REPORT_URL = "http://127.0.0.1:9/o/report"
    monkeypatch.setattr(refusal_reports, "INTERVAL_SECONDS", 60)
    reports = refusal_reports.RefusalReports()

    for number in range(1050):
        reports.add(f"token-{number}", 404)
        reports.add("token-0", 404)

    assert len(reports._waiting) == 1000
    assert reports._waiting["token-0", 404] == 1051


def test_reports_go_where_the_authorities_that_are_believed_vouch_for(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    context, made, sent = ssl.create_default_context(), [], []

    def answer(asked: httpx.Request) -> httpx.Response:
        sent.append(asked)
        return httpx.Response(204)

    def client(**options: Any) -> httpx.Client:
        made.append(options)
        return httpx.Client(transport=httpx.MockTransport(answer))

    settings.SMARTAUTH_CA_FILE = "authorities.pem"
    monkeypatch.setattr(refusal_reports, "outgoing_tls", {"authorities.pem": context}.get)
    monkeypatch.setattr(refusal_reports, "httpx", SimpleNamespace(Client=client))
    refusal_reports._send(Counter({("a token", 403): 2}), "https://auth.example.org/o/report")

    (options,), (asked,) = made, sent
    assert (options["verify"], options["trust_env"], options["follow_redirects"]) == (context, False, False)
    assert json.loads(asked.content) == {"token": "a token", "status": 403, "count": 2}
