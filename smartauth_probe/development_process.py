"""`smartauth dev`, or a command in its place: started on a free port with a data folder of its own, and ended."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smartauth_probe.development_server import DevelopmentServer, Unreachable

STOP_SECONDS = 15
SHOWN = 4_000  # characters of its output
# of the tests or of another server: the one that is started has its own
NOT_INHERITED = (
    "DJANGO_SETTINGS_MODULE",
    "PYTHONPATH",
    "PYTHONHOME",
    "SMARTAUTH_DATABASE_URL",
    "SMARTAUTH_AUDIT_DATABASE_URL",
    "SMARTAUTH_REDIS_URL",
    "SMARTAUTH_SECRET_KEY",
)


class DidNotStart(Exception):
    """With what the command has said."""


class StartedServer(DevelopmentServer):
    """One that was started here, so that it can be told who is who."""

    def __init__(self, url: str, command: list[str], folder: Path) -> None:
        super().__init__(url)
        self._command, self._folder = command, folder

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds; nobody's access is ended for a test that is refused again and again."""
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        own = {
            "SMARTAUTH_PORT": self.url.rpartition(":")[2],
            "SMARTAUTH_ISSUER": self.url,
            "SMARTAUTH_DATA_DIR": str(self._folder / "data"),
            "SMARTAUTH_PENDING_REQUESTS": "100000",
        }
        return {"SMARTAUTH_REFUSALS_LIMIT": "0", **inherited, **own}

    def seed(self, content: Mapping[str, Any]) -> str:
        """Adds FHIR servers, people and clients (docs/seed-file.md); what `seed` said. Raises RuntimeError."""
        file = self._folder / "seed.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        return self.run("seed", str(file))

    def run(self, *arguments: str) -> str:
        """What another verb of the program said, such as `smartauth seed FILE`. Raises RuntimeError."""
        command = [*self._command[:-1], *arguments]
        done = subprocess.run(  # noqa: S603
            command, cwd=self._folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def start(command: str, *, seconds: float) -> Iterator[StartedServer]:
    """The server that this command starts, once it answers. Raises DidNotStart, in that many seconds at the latest."""
    folder = Path(tempfile.mkdtemp(prefix="smartauth-"))
    try:
        (folder / "data").mkdir(mode=0o700)
        server = StartedServer(f"http://127.0.0.1:{_free_port()}", _arguments(command), folder)
        with (folder / "output.log").open("w+b") as output, _running(server, output) as process:
            _wait(server, process, folder, seconds)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(server: StartedServer, output: Any) -> Iterator[subprocess.Popen[bytes]]:
    """In a group of its own, which is ended as a whole."""
    options: dict[str, Any] = {"stdout": output, "stderr": output, "stdin": subprocess.DEVNULL, "cwd": server._folder}
    try:
        process = subprocess.Popen(server._command, env=server.environment, start_new_session=True, **options)  # noqa: S603
    except OSError as problem:
        raise DidNotStart(f"{shlex.join(server._command)} cannot be started: {problem}") from None
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def _wait(server: StartedServer, process: subprocess.Popen[bytes], folder: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(Unreachable):
            server.check()
            return
        time.sleep(0.1)
    said = (folder / "output.log").read_text(encoding="utf-8", errors="replace")[-SHOWN:] or "nothing"
    status = process.poll()
    reason = f"does not answer after {seconds:.0f} seconds" if status is None else f"ended with {status}"
    raise DidNotStart(f"{shlex.join(server._command)} {reason}. It said:\n{said}")


def _arguments(command: str) -> list[str]:
    """Files by their whole path: it runs in a folder of its own, where nothing of the tests can be imported."""
    return [str(Path(each).absolute()) if Path(each).is_file() else each for each in shlex.split(command)]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
