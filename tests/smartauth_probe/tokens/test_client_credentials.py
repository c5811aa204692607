"""Tokens by client_credentials: alone they open what backend services may do, beside tokens for patients all of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from smartauth_probe.checks.check import Outcome
from smartauth_probe.command import main
from smartauth_probe.raw_http import Response
from smartauth_probe.requests import Presentation
from smartauth_probe.tokens import client_credentials
from smartauth_probe.tokens.source import Wanted
from tests.smartauth_probe.small_http import listening
from tests.smartauth_probe.small_server import OpenTokens, SmallServer, respond

pytestmark = pytest.mark.one_engine
ENDPOINT = ["--token-endpoint=https://as.example/token", "--client=a-service", "--seconds=60", "--quiet"]
OF_PATIENTS = [f"--token-for={letter}={OpenTokens().token(Wanted('patient/*.rs', key))}" for letter, key in
               (("A", "amy"), ("B", "ben"))]  # fmt: skip


def token_endpoint(base: str, request: Presentation) -> Response:
    assert (base, request.path, request.method) == ("https://as.example", "token", "POST")
    assert ("Authorization", "Basic YS1zZXJ2aWNlOmh1c2g=") in request.headers
    (scope,) = parse_qs(request.body)["scope"]
    return respond(200, {"access_token": OpenTokens().token(Wanted(scope))})


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(client_credentials, "send", token_endpoint)
    monkeypatch.setenv("SMARTAUTH_PROBE_CLIENT_SECRET", "hush")
    with listening(SmallServer()) as found:
        yield found


def report_of(base: str, file: Path, *options: str) -> dict[str, Any]:
    status = main([base, *ENDPOINT, f"--json={file}", *options])
    made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert (status, made["remains"]) == (0, [])
    return made


def passed(report: dict[str, Any]) -> set[str]:
    return {each["name"] for each in report["checks"] if each["outcome"] == Outcome.PASSED}


def test_alone_they_probe_what_services_may_do_and_every_other_check_says_why_it_is_skipped(
    base: str, tmp_path: Path
) -> None:
    report = report_of(base, tmp_path / "report.json", "--writes")

    assert report["patients"] == ["amy", "ben"]  # found by the service
    assert {"system-letters", "system-reads", "export-letters", "leads-nowhere-else"} <= passed(report)
    (skipped,) = [each for each in report["checks"] if each["name"] == "other-patient"]
    assert skipped["seen"] == "client_credentials gives tokens with system/ scopes only."


def test_beside_tokens_for_patients_they_open_both(base: str, tmp_path: Path) -> None:
    report = report_of(base, tmp_path / "report.json", *OF_PATIENTS, "--patients=amy,ben", "--only=users",
                       "--only=compartment")  # fmt: skip

    assert {"system-letters", "other-patient"} <= passed(report)
    assert report["tokens_from"] == "who runs the probe: A, B; https://as.example/token, by client_credentials"


def test_without_any_token_for_somebody_the_first_reason_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with listening(SmallServer()) as base:
        status = main([base, *OF_PATIENTS[1:], "--patients=amy,ben"])

    assert status == 2
    assert "No token was given with patient/*.rs for amy" in capsys.readouterr().err
