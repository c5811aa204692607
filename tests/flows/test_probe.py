"""No false finding: the bundled FHIR server passes every check that can be made of it."""

import json
from pathlib import Path

import pytest

from smartauth_probe.command import main
from tests.running import Server

pytestmark = pytest.mark.one_engine


@pytest.mark.requirement("TV-32")
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
