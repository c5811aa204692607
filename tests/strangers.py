"""Servers of strangers: one FHIR base that smartauth protects, served by each recipe of the docs in turn."""

import os
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.npm import install
from tests.running import ROOT, Server, free_port

RECIPES = ROOT / "docs" / "recipes"


class Process:
    """A command that serves HTTP at a URL, started in a group of its own."""

    def __init__(self, command: list[str], url: str, folder: Path, **environment: str) -> None:
        self.url, self.log = url, folder / f"{urlsplit(url).port}.log"
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.running.poll() is None:
            try:
                httpx.get(self.url, timeout=10)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"{self.url} does not answer:\n{self.log.read_text(encoding='utf-8')}")

    def stop(self) -> None:
        os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait(30)


def protect(server: Server, base: str, *clients: str) -> dict[str, str]:
    """What `fhir-server add` tells the stranger, as the environment of its server."""
    options = [part for client in clients for part in ("--client", client)]
    printed = server.manage("fhir-server", "add", base, "--env", *options)
    return dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines())


def python(file: Path) -> Callable[[dict[str, str], Path], list[Process]]:
    """Serves with that file."""

    def start(environment: dict[str, str], folder: Path) -> list[Process]:
        return [Process([sys.executable, str(file)], environment["FHIR_BASE"], folder, **environment)]

    return start


def readme(environment: dict[str, str], folder: Path) -> list[Process]:
    """With the code of README in front of the stranger's server that is open to everybody."""
    return [Process([sys.executable, "-m", "tests.readme_server"], environment["FHIR_BASE"], folder, **environment)]


def express(environment: dict[str, str], folder: Path) -> list[Process]:
    """With what the lock file says."""
    place = install(RECIPES / "express")
    return [Process(["node", str(place / "server.js")], environment["FHIR_BASE"], folder, **environment)]


def nginx(environment: dict[str, str], folder: Path) -> list[Process]:
    """nginx in front of the stranger's server that is open to everybody."""
    base, upstream = urlsplit(environment["FHIR_BASE"]), f"127.0.0.1:{free_port()}"
    behind = Process(
        [sys.executable, str(ROOT / "demo/stranger/server.py")],
        f"http://{upstream}{base.path}",
        folder,
        FHIR_BASE=f"http://{upstream}{base.path}",
    )
    place = folder / f"nginx-{base.port}"
    place.mkdir(exist_ok=True)
    shutil.copy(RECIPES / "nginx" / "gate.js", place)
    place.chmod(0o755)
    template = string.Template((RECIPES / "nginx" / "nginx.conf").read_text(encoding="utf-8"))
    known = {"FHIR_PATH": base.path, "LISTEN": base.netloc, "UPSTREAM": upstream, "FOLDER": str(place)}
    (place / "nginx.conf").write_text(template.safe_substitute({**environment, **known}), encoding="utf-8")
    command = [_nginx(), "-p", str(place), "-e", "error.log", "-c", "nginx.conf"]
    try:
        return [Process(command, environment["FHIR_BASE"], folder), behind]
    except AssertionError:
        behind.stop()
        raise


def _nginx() -> str:
    """Debian keeps it where a plain user's PATH does not look."""
    return shutil.which("nginx") or "/usr/sbin/nginx"


STRANGERS = {
    "stranger": python(ROOT / "demo/stranger/protected.py"),
    "readme": readme,
    "django-rest-framework": python(RECIPES / "django_rest_framework/server.py"),
    "flask": python(RECIPES / "flask/server.py"),
    "express": express,
    "nginx": nginx,
}
