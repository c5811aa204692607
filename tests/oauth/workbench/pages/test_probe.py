"""`/dev/probe`: a click begins a run, its page says how far it is and then is the report."""

import re
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from oauth.models import FhirServer
from oauth.workbench.memory import probe_runs
from oauth.workbench.memory.probe_runs import ProbeRun, begin_run
from oauth.workbench.memory.recent import Recent
from smartauth_probe.report.html import content_security_policy
from tests.oauth.visitor import FORM, Visitor, hidden_fields

PATIENCE = 60  # seconds


@pytest.fixture(autouse=True)
def nothing_was_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_runs, "_runs", Recent[int, ProbeRun](5))


def post(visitor: Visitor, path: str, **fields: str) -> httpx.Response:
    body = urlencode({**hidden_fields(visitor.request("GET", "/login")), **fields})
    return visitor.request("POST", path, content=body, headers=FORM)


def test_a_click_begins_a_run_and_its_page_says_what_came_of_it(visitor: Visitor, settings: Any) -> None:
    base = f"http://127.0.0.1:9/{secrets.token_hex(8)}"  # where nobody listens
    settings.SMARTAUTH_FHIR_BASES = {"r4": base}
    FhirServer.objects.create(base=base, name="Nobody there")

    answer = post(visitor, "/dev/probe", server=base)
    run = probe_runs.last_run_of(base)

    assert run is not None
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dev/probe/1")
    deadline = time.monotonic() + PATIENCE
    while run.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    page = visitor.request("GET", "/dev/probe/1")
    assert "<h1>The probe could not run: " in page.text
    assert f"<code>{base}</code>" in page.text
    assert "The probe could not run: " in visitor.request("GET", "/").text


def test_while_one_runs_a_click_leads_to_it_and_it_can_be_stopped(visitor: Visitor, fhir_server: Any) -> None:
    run, _ = begin_run(fhir_server.base, "Harbour <Clinic>", total=352, now=1)
    run.made, run.failed = 61, 2

    assert post(visitor, "/dev/probe", server=fhir_server.base).headers["Location"] == run.address
    page = visitor.request("GET", run.address)
    assert "<h1>Probing Harbour &lt;Clinic&gt;</h1>" in page.text
    assert "61 of 352 checks" in page.text
    assert "2 failed so far." in page.text
    assert f'href="{run.address}">Load again</a>' in page.text
    assert re.findall(r"<script(?![^>]*\ssrc=\"/static/)|\sstyle=", page.text) == []
    assert "It runs: 61 of 352 checks" in visitor.request("GET", "/").text

    assert post(visitor, f"{run.address}/stop").headers["Location"] == run.address
    assert run.is_to_stop
    assert "It stops after this check." in visitor.request("GET", run.address).text


def test_the_report_may_show_its_own_style_and_do_nothing_else(visitor: Visitor, fhir_server: Any) -> None:
    run, _ = begin_run(fhir_server.base, "Mine", total=3, now=1)
    run.title, run.report = "No check failed: 3 of 3 passed", "<!doctype html><title>the report</title>"

    page = visitor.request("GET", run.address)

    assert page.text == run.report
    assert page.headers["Content-Security-Policy"].startswith(f"{content_security_policy()}; ")
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert f'<a href="{run.address}">No check failed: 3 of 3 passed</a>' in visitor.request("GET", "/").text


def test_what_is_not_there_is_404(visitor: Visitor, fhir_server: Any) -> None:
    assert visitor.request("GET", "/dev/probe/7").status_code == 404
    assert post(visitor, "/dev/probe/7/stop").status_code == 404
    assert post(visitor, "/dev/probe", server="http://127.0.0.1:9/fhir").status_code == 404
