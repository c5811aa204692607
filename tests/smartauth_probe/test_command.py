"""The command: what it says, what it writes, and its exit status."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smartauth_probe.command import main
from smartauth_probe.command_tokens import authority
from smartauth_probe.tokens.source import Wanted
from tests.smartauth_probe.small_http import listening
from tests.smartauth_probe.small_server import OpenTokens, SmallServer

pytestmark = pytest.mark.one_engine
TOKENS = {patient: OpenTokens().token(Wanted("patient/*.rs", patient)) for patient in ("amy", "ben")}
PASTED = [f"--token-for=A={TOKENS['amy']}", f"--token-for=B={TOKENS['ben']}", "--patients=amy,ben", "--seconds=60"]

BASE = "http://127.0.0.1:1/fhir"
OF_A_SERVICE = [BASE, "--token-endpoint=https://as.example/token"]


@dataclass
class Target:
    server: SmallServer
    base: str


@pytest.fixture(scope="module")
def started() -> Iterator[Target]:
    server = SmallServer()
    with listening(server) as base:
        yield Target(server, base)


@pytest.fixture
def target(started: Target) -> Target:
    started.server.faults = frozenset()
    return started


Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> tuple[int, str]:
        status = main([*arguments])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


def test_a_server_that_does_right_ends_with_0_and_a_report(target: Target, say: Say, tmp_path: Path) -> None:
    status, printed = say(target.base, *PASTED, f"--json={tmp_path / 'report.json'}")

    report = json.loads((tmp_path / "report.json").read_text())
    assert status == report["exit_status"] == 0
    assert printed.startswith("No check failed: ")
    assert len(printed.splitlines()) < 40
    assert max(map(len, printed.splitlines())) < 400  # of what was skipped the ways that help most
    assert report["patients"] == ["amy", "ben"]
    assert {each["outcome"] for each in report["checks"]} <= {"passed", "policy", "skipped"}
    assert all(each["seen"] and each["to_run"] for each in report["checks"] if each["outcome"] == "skipped")


def test_a_server_that_lets_everybody_in_ends_with_1_and_says_what_to_do(target: Target, say: Say) -> None:
    target.server.faults = frozenset(["open"])

    status, printed = say(target.base, *PASTED, "--json=-", "--only=requests", "--only=XT-981", "--quiet")

    report = json.loads(printed)
    (found,) = [each for each in report["checks"] if each["name"] == "no-token"]
    assert status == report["exit_status"] == 1
    assert (found["outcome"], found["danger"], found["failures"], found["tries"]) == ("failed", "records", 3, 3)
    assert found["fix"]
    assert found["exchanges"][0]["request"].startswith("GET /fhir/Patient/amy HTTP/1.1")
    assert found["exchanges"][0]["answer"].endswith("Patient/amy … (cut)")


def test_no_token_and_nothing_of_a_record_but_ids_stands_in_a_report(target: Target, say: Say) -> None:
    target.server.faults = frozenset(["open", "read-open", "search-open", "no-compartment"])

    _, printed = say(target.base, *PASTED, "--json=-", "--quiet")

    assert not any(token in printed for token in TOKENS.values())
    assert not any(name in printed for name in ("Whitlock", "Shaw", "mrn-ben", "only-ben", "718-7"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://127.0.0.1:1/fhir", *PASTED], "did not answer"),
        (["http://127.0.0.1:1/fhir", "--authority=http://127.0.0.1:2"], "--authority names a development smartauth"),
        (["https://fhir.example.org/r4", *PASTED], "say --i-may-test-this-server if you may"),
        (["fhir.example.org", *PASTED], "is no FHIR base"),
        (["http://127.0.0.1:port/fhir", *PASTED], "is no FHIR base"),
        (["http://127.0.0.1:1/fhir?x=1", *PASTED], "has a query or a fragment"),
        (["http://127.0.0.1:1/fhir", *PASTED, "--only=nothing"], "--list names all"),
        (["http://127.0.0.1:1/fhir", "--token-for=A"], "--token-for takes WHAT=TOKEN"),
        (["http://127.0.0.1:1/fhir", *PASTED, "--key=key.json"], "--key makes its own tokens"),
        ([*OF_A_SERVICE, "--token-for=A=x"], "--token-for A: say who A is with --patients A,B or --fixture FILE"),
        ([*OF_A_SERVICE, "--token-for=A=x", "--token-for=B patient/Goal.r=x", "--patients=amy"], "say who B is with"),
        ([BASE, "--token-for=system=x", "--token-for=A=x"], "say who A is with"),
    ],
)
def test_what_cannot_run_ends_with_2_and_a_sentence(say: Say, arguments: list[str], words: str) -> None:
    status, printed = say(*arguments)

    assert status == 2
    assert printed.startswith("The probe could not run: ")
    assert words in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ["http://it:hush@127.0.0.1:1/fhir"],
        ["ftp://it:hush@127.0.0.1:1/fhir"],
        ["it:hush@127.0.0.1:1/fhir"],
        ["http:/it:hush@127.0.0.1:1/fhir"],
        [BASE, "--token-endpoint=https://it:hush@as.example/token"],
        [BASE, "--token-endpoint=it:hush@as.example/token"],
        [BASE, "--authority=http://it:hush@127.0.0.1:2"],
        [BASE, "--key=key.json", "--issuer=https://it:hush@as.example"],
        [BASE, "--dry-run", "--aud=https://it:hush@fhir.example"],
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(say: Say, arguments: list[str]) -> None:
    status, printed = say(*arguments)

    assert (status, "hush" in printed) == (2, False)
    assert printed.endswith(" holds a name or a password: leave them out.\n")


def test_a_password_with_a_slash_in_it_is_not_repeated_either(say: Say) -> None:
    assert say("http://it:hu/sh@127.0.0.1:1/fhir") == (
        2,
        "The probe could not run: This is no FHIR base: it begins with http:// or https://\n",
    )


@pytest.mark.parametrize(
    ("variables", "server"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"SMARTAUTH_PORT": "8311"}, "http://127.0.0.1:8311"),
        ({"SMARTAUTH_PORT": "8311", "SMARTAUTH_ISSUER": "http://localhost:9"}, "http://localhost:9"),
    ],
)
def test_tokens_come_from_the_smartauth_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], server: str
) -> None:
    for name in ("SMARTAUTH_PORT", "SMARTAUTH_ISSUER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert authority() == server


def test_a_server_that_refuses_a_good_token_proves_nothing(target: Target, say: Say) -> None:
    status, printed = say(target.base, "--token-for=A=not.a.token", "--patients=amy,ben")

    assert status == 2
    assert "does not let a good token in: GET Patient/amy with patient/*.rs for amy answered 401" in printed


def test_a_report_that_cannot_be_written_is_said_and_keeps_no_other_one_back(
    target: Target, say: Say, tmp_path: Path
) -> None:
    there = tmp_path / "report.xml"

    status, printed = say(target.base, *PASTED, "--only=no-token", "--json=/no/such/folder", f"--junit={there}")

    assert status == 2
    assert printed.endswith("/no/such/folder cannot be written: No such file or directory\n")
    assert "no-token" in there.read_text(encoding="utf-8")


def test_a_dry_run_names_each_request_and_sends_none(say: Say) -> None:
    status, printed = say("http://127.0.0.1:1/fhir", "--authority=http://127.0.0.1:2", "--dry-run")

    assert status == 0
    assert "XT-901 expired\n    GET Patient/A  [expired]\n" in printed
    assert "TV-02 no-token-tells-nothing\n    GET Patient/A  [no token]\n" in printed


def test_the_list_names_each_check(say: Say) -> None:
    status, printed = say("http://127.0.0.1:1/fhir", "--list", "--skip=tokens")

    assert status == 0
    assert "TV-02   no-token-tells-nothing" in printed
    assert "expired" not in printed


def test_help_shows_no_password(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SMARTAUTH_ISSUER", "https://somebody:secret-word@auth.example.org")

    with pytest.raises(SystemExit):
        main(["--help"])

    printed = capsys.readouterr().out
    assert "(default: what SMARTAUTH_ISSUER says)" in " ".join(printed.split())
    assert "secret-word" not in printed
