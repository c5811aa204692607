"""No false finding: the bundled FHIR server passes every check that can be made of it."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from smartauth_probe.command import main
from tests.oauth.visitor import hidden_fields
from tests.running import Server

pytestmark = pytest.mark.one_engine
PATIENCE = 120  # seconds


@pytest.mark.requirement("TV-32", "SD-30")
def test_the_bundled_server_fails_nowhere_and_most_checks_are_made(lenient: Server, tmp_path: Path) -> None:
    file = tmp_path / "report.json"

    options = [f"--authority={lenient.url}", "--skip=timing", "--seconds=60", f"--json={file}", "--quiet"]
    status = main([f"{lenient.url}/fhir/r4", *options])

    report = json.loads(file.read_text(encoding="utf-8"))
    failed = [
        (each["name"], each["seen"], each["received"]) for each in report["checks"] if each["outcome"] == "failed"
    ]
    assert (failed, status) == ([], 0)
    assert report["counts"]["passed"] >= 180
    assert report["patients"] == ["amy", "ben"]


def test_the_button_of_the_home_page_probes_the_bundled_server_and_opens_the_report(lenient: Server) -> None:
    with httpx.Client(base_url=lenient.url, timeout=60) as browser:
        known = hidden_fields(browser.get("/login"))
        begun = browser.post("/dev/probe", data={**known, "server": "bundled"})
        place = begun.headers["Location"]
        browser.post(f"{place}/stop", data=known)

        deadline = time.monotonic() + PATIENCE
        while "The probe runs" in (page := browser.get(place)).text and time.monotonic() < deadline:
            time.sleep(0.2)

        assert (begun.status_code, place) == (303, "/dev/probe/1")
        assert "<h1>Stopped after " in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        chip = re.search(r'href="(/\?server=\d+)#checklist">Harbour Clinic', browser.get("/").text)
        assert chip is not None
        home = browser.get(chip[1]).text
        assert f'<a href="{place}">Stopped after ' in home
        assert "It answered 200." in home  # the good token, on the checklist
