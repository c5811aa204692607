"""Commands in a terminal, as somebody reads and answers them."""

import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.waiting import wait_until


class Terminal:
    """Somebody who reads what commands print and types what they ask for."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self._side, other = pty.openpty()
        self.printed = ""
        self._running = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), stdin=other, stdout=other, stderr=other, start_new_session=True
        )
        os.close(other)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # the other side is closed
            while read := os.read(self._side, 65536):
                self.printed += read.decode(errors="replace").replace("\r", "")

    def wait_for(self, pattern: str, within: float = 300) -> None:
        """Until that is printed. Raises if it is not, or if the commands end before."""
        wait_until(lambda: bool(re.search(pattern, self.printed)) or not self._reader.is_alive(), within=within)
        assert re.search(pattern, self.printed), f"{pattern!r} was never printed: {self.printed}"

    def type(self, text: str) -> None:
        os.write(self._side, text.encode())

    def end(self, within: float = 900, expected: int = 0) -> str:
        """What was printed, once all commands have succeeded, or the last one ended with that status."""
        self._reader.join(within)
        status = self._running.wait(60)
        assert status == expected, self.printed
        return self.printed

    def close(self) -> None:
        """Ctrl-C; what is still there after a minute is killed."""
        if self._running.poll() is None:
            with suppress(OSError):
                self.type("\x03")
            with suppress(subprocess.TimeoutExpired):
                self._running.wait(60)
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        self._reader.join(10)
        os.close(self._side)
