"""The real worker with its scheduler, on the broker that the environment names, ships what waits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.running import ROOT, Server
from tests.tables import rows


@pytest.fixture
def server() -> Iterator[Server]:
    """With a worker of the test's own."""
    redis = os.environ.get("SMARTAUTH_REDIS_URL", "")
    made = Server(SMARTAUTH_AUDIT_SHIP_SECONDS="1", SMARTAUTH_REDIS_URL=redis and redis.rpartition("/")[0] + "/11")
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@contextmanager
def worker(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable, "-m", "celery", "-A", "smartauth", "worker", "-P", "solo", "-B", "-l", "INFO",
        "--schedule", str(server.folder / "celery-beat"),
    ]  # fmt: skip
    with (server.folder / "worker.log").open("ab") as log:
        running = subprocess.Popen(
            command, env=server.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(30)


def outcome(server: Server, seconds: float) -> tuple[int, int]:
    """How many events wait and how many are in the trail, once nothing waits or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        ((waiting,),) = rows(server, "main", "SELECT count(*) FROM audit_outboxevent")
        ((shipped,),) = rows(server, "audit", "SELECT count(*) FROM audit_securityevent")
        if not waiting or time.monotonic() > deadline:
            return waiting, shipped
        time.sleep(0.2)


@pytest.mark.requirement("SD-10")
def test_a_worker_ships_within_seconds_and_again_after_a_kill(server: Server) -> None:
    before, _ = outcome(server, 0)
    server.manage("token", "--client", "demo-public", "--user", "amy")
    written, _ = outcome(server, 0)

    with worker(server):
        first = outcome(server, 30)
    server.manage("token", "--client", "demo-public", "--user", "amy")
    with worker(server):
        second = outcome(server, 30)

    assert written > before
    assert first == (0, written)
    assert second[0] == 0
    assert second[1] > first[1]
    assert "Traceback" not in (server.folder / "worker.log").read_text(encoding="utf-8")
