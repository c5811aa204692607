"""`manage.py dev`, started as somebody starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tests.running import ROOT, Server

LAST_LINE = "401: the token is revoked"


class Dev:
    """`manage.py dev` in a data folder and on a port of its own."""

    def __init__(self, **environment: str) -> None:
        self.place = Server()
        self.place.environment.update(environment)
        self.output = self.place.folder / "dev.log"
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Everything it prints until it has said how to begin."""
        with self.output.open("wb") as log:
            self.running = subprocess.Popen(
                [sys.executable, "manage.py", "dev"],
                cwd=ROOT,
                env=self.place.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 240
        while not re.search(f"{LAST_LINE}.*\n.*\n", self.printed()) and time.monotonic() < deadline:
            assert self.running.poll() is None, self.printed()
            time.sleep(0.1)
        return self.printed()

    def printed(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def stop(self, sent: signal.Signals) -> int:
        """Its exit status after that signal to it alone."""
        assert self.running is not None
        self.running.send_signal(sent)
        return self.running.wait(30)

    def others_running(self) -> bool:
        """Whether a process that it started is still there."""
        assert self.running is not None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                os.killpg(self.running.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.1)
        return True

    def remove(self) -> None:
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait(30)
        self.place.remove()
