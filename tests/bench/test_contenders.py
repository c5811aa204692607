"""What the benchmark has started does not outlive it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import is_running
from tests.running import ROOT, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.one_engine
MEASURES = """
import sys, time
from pathlib import Path
from bench.contenders import running, stop_at_sigterm

stop_at_sigterm()
port, folder = sys.argv[1:]
with running([sys.executable, "-m", "bench.constant", port], int(port), Path(folder) / "log") as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""


def test_sigterm_stops_the_servers_that_were_started(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASURES, str(free_port()), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as bench:
        assert bench.stdout is not None
        server = int(bench.stdout.readline())
        assert is_running(server)

        bench.terminate()

        assert bench.wait(60) == 128 + signal.SIGTERM
    assert wait_until(lambda: not is_running(server))
