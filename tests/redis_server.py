"""A Redis of a test's own, which it may kill; what it held is gone then, as a broker's may be."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.running import free_port
from tests.waiting import wait_until


class Redis:
    """On a free port of the loopback address. `start` and `kill` (-9) may be called again and again."""

    def __init__(self) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="smartauth-redis-")), free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> "Redis":
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
        command += ["--set-proc-title", "no"]  # its title would lie over its environment, by which CI finds it
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        assert wait_until(self._answers)
        return self

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    def kill(self) -> None:
        if self._running is not None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait(30)
            self._running = None

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 2).close()
        except OSError:
            return False
        return True
