"""Four processes under a mixed load: what was acknowledged holds on each of them, also when one of them is killed."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kill.mixed import MixedLoad
from tests.postgresql import PostgreSQL
from tests.running import Server

pytestmark = pytest.mark.kill
PROCESSES = 4
REQUESTS = int(os.environ.get("MIXED_LOAD_REQUESTS", "20000"))
FEWER = REQUESTS // 4  # what comes long after the kill shows nothing more


@pytest.fixture
def four_processes() -> Iterator[Server]:
    made = Server(processes=PROCESSES, SMARTAUTH_FAILURE_LIMIT="1000")
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@pytest.mark.requirement("IN-09", "RV-06", "RV-09")
@pytest.mark.requirement("PR-01", "PR-02", "SD-03")
@pytest.mark.requirement("SD-05", "SD-06", "RV-08")
def test_after_an_acknowledged_ending_no_process_calls_a_token_active(four_processes: Server) -> None:
    load = MixedLoad(four_processes, lives=120, codes=10)

    record = load.run(requests=REQUESTS)

    assert record.wrong == []
    assert load.asked >= REQUESTS
    assert record.unanswered == 0
    assert len(load.known) > 1000
    assert "deadlock" not in four_processes.log()
    assert "Traceback" not in four_processes.log()


@pytest.mark.requirement("RV-09", "PR-02")
def test_a_killed_process_loses_nothing_that_was_acknowledged(four_processes: Server) -> None:
    load = MixedLoad(four_processes, lives=40, codes=6)

    record = load.run(requests=FEWER, meanwhile=lambda: kill_a_worker(four_processes))

    assert record.wrong == []
    assert record.unanswered > 0
    assert load.asked >= FEWER


@pytest.fixture
def on_own_engine() -> Iterator[tuple[Server, PostgreSQL]]:
    with ExitStack() as stack:
        engine = PostgreSQL()
        stack.callback(engine.remove)
        engine.start().create("main", "audit")
        made = Server(
            processes=PROCESSES,
            SMARTAUTH_DATABASE_URL=engine.url("main"),
            SMARTAUTH_AUDIT_DATABASE_URL=engine.url("audit"),
        )
        stack.callback(made.remove)
        made.prepare()
        yield made.start(), engine


@pytest.mark.requirement("RV-09", "E114")
def test_a_killed_database_loses_nothing_that_was_acknowledged(on_own_engine: tuple[Server, PostgreSQL]) -> None:
    server, engine = on_own_engine
    load = MixedLoad(server, lives=40, codes=6)

    record = load.run(requests=FEWER, meanwhile=restarting(engine))

    assert record.wrong == []
    assert record.unanswered > 0
    assert load.asked >= FEWER


def restarting(engine: PostgreSQL) -> Callable[[], None]:
    def restart() -> None:
        engine.kill()
        engine.start()

    return restart


def kill_a_worker(server: Server) -> None:
    """kill -9 of the process that has answered most; the one that watches over them starts another."""
    assert server.running is not None
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(server.running.pid)], capture_output=True, text=True, check=True
    )
    workers = [int(line.split()[0]) for line in listed.stdout.splitlines() if "spawn_main" in line]
    assert len(workers) == PROCESSES
    os.kill(max(workers, key=worked), signal.SIGKILL)


def worked(process: int) -> int:
    """The processor time that it has used, in ticks."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)
