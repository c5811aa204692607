"""A container of an image as compose.yaml describes it: its files can be read alone, one account without rights."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The parts of a container that a service of compose.yaml asks for, made of what util-linux brings.
SCRIPT = """\
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
for folder in tmp run; do mount -t tmpfs -o mode=1777 tmpfs "$ROOT/$folder"; done
if [ -n "$DATA" ]; then mount --bind "$DATA" "$ROOT/srv/smartauth"
else mount -t tmpfs -o uid=10001,gid=10001,mode=0700 tmpfs "$ROOT/srv/smartauth"; fi
if [ -n "$SECRETS" ]; then
  mkdir "$ROOT/run/secrets"
  mount --bind "$SECRETS" "$ROOT/run/secrets"
fi
mount -o remount,bind,ro "$ROOT"
exec chroot "$ROOT" /usr/bin/setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all \\
  --inh-caps=-all env -i "$@"
"""


@dataclass
class Container:
    """One process tree. `run` waits for its end, `start` does not; `stop` sends SIGTERM, as a container engine does."""

    root: Path
    environment: Mapping[str, str]
    secrets: Path | None = None
    data: Path | None = None
    namespace: str = ""
    log: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="smartauth-container-")) / "log")
    running: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
        whole = self._whole(command)
        return subprocess.run(whole, capture_output=True, text=True, input=text, timeout=300, **self._env())

    def start(self, command: Sequence[str]) -> "Container":
        log = self.log.open("ab")
        self.running = subprocess.Popen(
            self._whole(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, **self._env()
        )
        return self

    def stop(self, seconds: float = 30) -> int:
        """The exit status after SIGTERM to its first process. Raises TimeoutExpired for what does not end by itself."""
        assert self.running is not None
        try:
            os.kill(self._first_process(), signal.SIGTERM)
            return self.running.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to its first process, and so to all: `--kill-child` forgets a process that changes its user."""
        if self.running is not None:
            with suppress(OSError, ValueError):  # it ended by itself
                os.kill(self._first_process(), signal.SIGKILL)
            self.running.kill()

    def _first_process(self) -> int:
        assert self.running is not None
        (found,) = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text().split()
        return int(found)

    def written(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def _whole(self, command: Sequence[str]) -> list[str]:
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        values = [f"{name}={value}" for name, value in self.environment.items()]
        script = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", SCRIPT, "sh"]
        return [*inside, *script, *values, *command]

    def _env(self) -> dict[str, Any]:
        given = {"ROOT": self.root, "SECRETS": self.secrets or "", "DATA": self.data or ""}
        return {"env": {**os.environ, **{name: str(value) for name, value in given.items()}}}
