"""Clients that offer HTTP/2 on plain http: Java's HttpClient by default, curl when asked to. Each body arrives."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.running import Server

pytestmark = pytest.mark.clients
TIMES = 30
RESOURCE_SERVER = "demo-resource-server:demo-resource-server-secret"
APP = "demo-symmetric:demo-symmetric-secret"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@pytest.fixture
def token(server: Server) -> str:
    return server.manage(
        "token", "--client", "demo-public", "--user", "amy", "--patient", "amy", "--scope", "patient/*.rs"
    ).strip()


def curl(server: Server, path: str, *options: str) -> tuple[int, str]:
    """Status and body of the answer."""
    command = ["curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}", *options, f"{server.url}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@pytest.mark.requirement("IN-01")
@pytest.mark.parametrize("framing", ["a length", "chunks"])
def test_curl_with_an_upgrade_is_answered_as_without_one(server: Server, token: str, framing: str) -> None:
    upgrade = ["--http2"] if framing == "a length" else ["--http2", "-H", "Transfer-Encoding: chunked"]
    same = {
        "introspect": ("/o/introspect", ["-u", RESOURCE_SERVER, "-d", f"token={token}"]),
        "token": ("/o/token", ["-u", APP, "-d", "grant_type=authorization_code&code=none"]),
        "report": ("/o/report", ["-u", RESOURCE_SERVER, "-H", f"Content-Type: {JSON}", "-d", '{"token": "x"}']),
        "invalidate": ("/o/invalidate", ["-u", RESOURCE_SERVER, "-H", f"Content-Type: {JSON}", "-d", '{"sub": "x"}']),
        "authorize": ("/o/authorize", ["-d", "client_id=nobody"]),
        "another page": ("/login", ["-d", "username=amy"]),
    }

    for name, (path, options) in same.items():
        upgraded, plain = curl(server, path, *upgrade, *options), curl(server, path, "--http1.1", *options)
        assert upgraded[0] == plain[0], name
        assert upgraded[1].startswith("{") == plain[1].startswith("{"), name
        if plain[1].startswith("{"):
            assert json.loads(upgraded[1]).keys() == json.loads(plain[1]).keys(), name
            assert json.loads(upgraded[1]).get("error") == json.loads(plain[1]).get("error"), name


@pytest.mark.requirement("RV-01")
def test_a_token_that_is_revoked_with_an_upgrade_is_dead(server: Server, token: str) -> None:
    introspect = ["-u", RESOURCE_SERVER, "-d", f"token={token}"]
    assert json.loads(curl(server, "/o/introspect", "--http2", *introspect)[1])["active"] is True

    status, _ = curl(server, "/o/revoke", "--http2", "-d", f"client_id=demo-public&token={token}")

    assert status == 200
    assert json.loads(curl(server, "/o/introspect", "--http2", *introspect)[1]) == {"active": False}


def test_http2_without_an_upgrade_is_refused_at_once_and_nothing_is_done(server: Server, token: str) -> None:
    form = f"client_id=demo-public&token={token}"
    command = ["curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", "-d", form, f"{server.url}/o/revoke"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode not in (0, 28)  # an error of the protocol, not the end of our patience
    answer = curl(server, "/o/introspect", "--http1.1", "-u", RESOURCE_SERVER, "-d", f"token={token}")[1]
    assert json.loads(answer)["active"] is True


@pytest.mark.requirement("IN-01")
def test_java_by_default_gets_the_right_answer_every_time(server: Server, token: str) -> None:
    program = str(Path(__file__).parent / "Introspect.java")
    ways = ["kept", "own", "parallel"]

    done = subprocess.run(
        ["java", program, server.url, token, str(TIMES)], capture_output=True, text=True, timeout=300, check=True
    )

    expected = [f"{way} {kind}: {TIMES} right, wrong []" for kind in ("length", "chunks") for way in ways]
    assert done.stdout.splitlines() == expected
