"""Commands in a terminal, as somebody reads and answers them."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Terminal:
    """Somebody who reads what commands print and types what they ask for."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self._side, other = pty.openpty()
        self.printed = ""
        self._running = subprocess.Popen(
            command, cwd=cwd, env=dict(environment), stdin=other, stdout=other, stderr=other, start_new_session=True
        )
        os.close(other)

    def wait_for(self, pattern: str, within: float = 300) -> re.Match[str]:
        """Where that is printed. Raises if it is not, or if the commands end before."""
        deadline = time.monotonic() + within
        while not (found := re.search(pattern, self.printed)):
            assert self._read(deadline), f"{pattern!r} was never printed: {self.printed}"
        return found

    def type(self, text: str) -> None:
        os.write(self._side, text.encode())

    def end(self, within: float = 900, expected: int = 0) -> str:
        """What was printed, once all commands have succeeded, or the last one ended with that status."""
        deadline = time.monotonic() + within
        while self._read(deadline):
            pass
        status = self._running.wait(max(1, deadline - time.monotonic()))
        assert status == expected, self.printed
        return self.printed

    def interrupt(self, within: float = 60) -> None:
        """Ctrl-C, and whatever is left is killed."""
        with suppress(OSError):
            self.type("\x03")
        deadline = time.monotonic() + within
        while self._running.poll() is None and time.monotonic() < deadline:
            self._read(min(deadline, time.monotonic() + 1))
        self.close()

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()
        with suppress(OSError):
            os.close(self._side)

    def _read(self, deadline: float) -> bool:
        """Whether there may be more to read."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._side], [], [], left)[0]:
            return False
        try:
            read = os.read(self._side, 65536)
        except OSError:  # the other side is closed
            return False
        self.printed += read.decode(errors="replace").replace("\r", "")
        return bool(read)
