"""Why clients/java answers 503, as the log of a server says it that brings no logging of its own."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests import maven
from tests.oracle import Answer, Oracle
from tests.strangers import RECIPES

pytestmark = [pytest.mark.clients, pytest.mark.one_engine, pytest.mark.requirement("TV-15")]

PROGRAM = Path(__file__).parent / "java_log" / "Log.java"
TOLD = "WARNING: requests are answered with 503: smartauth at "
HIDE = '"hide": {"http": {"status": 404}}'

Log = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """The program, which asks at that address."""
    target, own = maven.build(RECIPES / "hapi") / "target", tmp_path_factory.mktemp("classes")
    path = f"{own}:{target}/classes:{target}/lib/*"
    subprocess.run(["javac", "-cp", path, "-d", own, PROGRAM], check=True, timeout=120)

    def run(*arguments: str, url: str = "http://127.0.0.1:9/o/introspect") -> "subprocess.CompletedProcess[str]":
        told = {"FHIR_BASE": "https://fhir.example.org", "INTROSPECT": url, "CLIENT_ID": "me"}
        environment = {**os.environ, **told, "CLIENT_SECRET": "a-secret"}
        java = ["java", "-XX:TieredStopAtLevel=1", "-Duser.language=en", "-cp", path, "dev.smartauth.enforcement.Log"]
        return subprocess.run([*java, *arguments], env=environment, capture_output=True, text=True, timeout=60)

    return run


def reasons(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """Of each line about an outage, what follows the address of smartauth and its port."""
    lines = [line.removeprefix(TOLD) for line in done.stderr.splitlines() if line.startswith(TOLD)]
    return [line.partition(" decided nothing: ")[2] for line in lines]


@pytest.mark.parametrize(
    ("asked", "says", "reason"),
    [
        ("decision", Answer(status=401), "401, it does not know the client me by this secret"),
        ("decision", Answer(status=500, kind="text/html"), "500 as text/html"),
        ("decision", Answer(kind="text/html; charset=utf-8"), "200 as text/html"),
        ("decision", Answer(body=""), "the answer is no JSON"),
        ("decision", Answer(body="{"), "the answer is no JSON"),
        ("decision", Answer(body="[]"), "not an object"),
        ("decision", Answer(body='"' + "x" * 2_000_000 + '"'), "the answer is too long"),
        ("decision", Answer(rest=1), "no whole answer within 3 s"),
        ("decision", Answer(body='{"decision": 1}'), "decision is neither true nor false"),
        ("decision", Answer(body='{"decision": false}'), "no status to refuse with"),
        ("decision", Answer(body=f'{{"decision": true, "context": {{{HIDE}}}}}'), "a condition without a view"),
        (
            "decision",
            Answer(body=f'{{"decision": true, "context": {{"view": {{}}, "obligations": [], {HIDE}}}}}'),
            "obligations are not understood",
        ),
        ("decision", Answer(body='{"decision": true, "context": {"view": {}}}'), "the view is not whole"),
        ("decisions", Answer(body='{"evaluations": []}'), "not one decision for each resource"),
        ("document", Answer(status=404), "404 as application/json"),
    ],
)
def test_the_log_says_why_and_repeats_nothing_of_the_request(
    log: Log, oracle: Oracle, asked: str, says: Answer, reason: str
) -> None:
    oracle.say(says)

    done = log(asked, url=oracle.url)

    assert done.stdout.split() == ["503"] * 3
    assert f"{TOLD}127.0.0.1:{oracle.http.server_port} decided nothing: {reason}" in done.stderr.splitlines()
    assert reasons(done) == [reason]
    assert not any(word in done.stderr for word in ("a-token", "a-secret", "Observation", "code"))


def test_the_log_says_that_nobody_listens_and_repeats_no_password_of_the_address(log: Log) -> None:
    done = log("decision", url="http://me:a-secret@127.0.0.1:9/o/introspect")

    assert f"{TOLD}127.0.0.1:9 decided nothing: ConnectException: ClosedChannelException" in done.stderr.splitlines()
    assert "a-secret" not in done.stderr


def test_the_log_repeats_nothing_that_came_in_place_of_an_answer(log: Log) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def say() -> None:
            with suppress(OSError):  # the test has ended
                while True:
                    with listening.accept()[0] as caller:
                        caller.recv(65536)
                        caller.sendall(b"amy has a cold\r\n\r\n")

        threading.Thread(target=say, daemon=True).start()
        done = log("decision", url=f"http://127.0.0.1:{listening.getsockname()[1]}/o/introspect")

    assert reasons(done) == ["ProtocolException"]
    assert "cold" not in done.stderr


def test_an_outage_is_told_again_after_ten_seconds(log: Log) -> None:
    done = log("clock", "-7", "-7", "-6", "2", "3", "4", "12", "40")

    assert reasons(done) == ["at -7", "at 3", "at 40"]
