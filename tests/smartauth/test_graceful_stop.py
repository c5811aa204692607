"""Signals under load: at SIGTERM what was asked is answered, then it ends; at SIGHUP others take over."""

import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import basic
from tests.processes import command_of
from tests.running import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.one_engine
CALLERS = 16
BODY = b"token=none-of-ours"


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(processes=getattr(request, "param", 1))
    try:
        made.prepare()
        made.start()
        yield made
    finally:
        made.kill()
        made.remove()


class Callers:
    """Introspect one request after the other, each on a connection of its own, until nobody listens any more."""

    def __init__(self, port: int) -> None:
        self.port, self.outcomes, self._lock = port, Counter[str](), threading.Lock()
        known = basic("demo-resource-server", "demo-resource-server-secret")["Authorization"]
        head = (
            f"POST /o/introspect HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {known}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(BODY)}\r\n"
            "Connection: close\r\n\r\n"
        )
        self._request = head.encode() + BODY
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        while (outcome := self._outcome()) != "nobody listens":
            with self._lock:
                self.outcomes[outcome] += 1

    def _outcome(self) -> str:
        try:
            connection = socket.create_connection(("127.0.0.1", self.port), 30)
        except ConnectionRefusedError:
            return "nobody listens"
        with connection:
            try:
                connection.sendall(self._request)
                answer = b"".join(iter(lambda: connection.recv(65_536), b""))
            except OSError as error:
                return f"lost: {type(error).__name__}"
        is_whole = answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b'{"active":false}')
        return "answered" if is_whole else f"lost: {answer[:40]!r}"


@pytest.mark.parametrize("server", [1, 2], indirect=True, ids=["one process", "two"])
def test_no_request_in_flight_is_lost_at_sigterm(server: Server) -> None:
    callers = Callers(server.port)
    assert wait_until(lambda: callers.outcomes["answered"] > 200)

    signalled(server, signal.SIGTERM)
    for thread in callers.threads:
        thread.join(30)

    assert outcomes(callers) == {"answered"}, callers.outcomes
    assert server.running is not None
    assert server.running.wait(30) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("server", [2], indirect=True)
def test_at_sighup_other_processes_take_over_and_no_request_is_lost(server: Server) -> None:
    callers = Callers(server.port)
    assert wait_until(lambda: callers.outcomes["answered"] > 200)
    first = children(server)

    signalled(server, signal.SIGHUP)
    assert wait_until(lambda: len(children(server)) == 2 and not first & children(server), within=120)
    so_far = callers.outcomes["answered"]
    assert wait_until(lambda: callers.outcomes["answered"] > so_far + 200)
    signalled(server, signal.SIGTERM)
    for thread in callers.threads:
        thread.join(30)

    assert len(first) == 2
    assert outcomes(callers) == {"answered"}, callers.outcomes


def signalled(server: Server, sent: signal.Signals) -> None:
    assert server.running is not None
    server.running.send_signal(sent)


def outcomes(callers: Callers) -> set[str]:
    return {outcome for outcome, number in callers.outcomes.items() if number}


def children(server: Server) -> set[int]:
    """The processes that serve, or begin to."""
    assert server.running is not None
    parent = server.running.pid
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    return {int(each) for each in told if b"spawn_main" in command_of(int(each))}
