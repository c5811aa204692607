"""Servers of strangers: one FHIR base that smartauth protects, served by each recipe of the docs in turn."""

import atexit
import os
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests import maven
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


def address(environment: dict[str, str]) -> str:
    """Where the stranger listens: at its base, or at PORT where a proxy with the name of the base stands before it."""
    if "PORT" not in environment:
        return environment["FHIR_BASE"]
    return f"http://127.0.0.1:{environment['PORT']}{urlsplit(environment['FHIR_BASE']).path}"


def python(file: Path) -> Callable[[dict[str, str], Path], list[Process]]:
    """Serves with that file."""

    def start(environment: dict[str, str], folder: Path) -> list[Process]:
        return [Process([sys.executable, str(file)], address(environment), folder, **environment)]

    return start


def readme(environment: dict[str, str], folder: Path) -> list[Process]:
    """With the code of README in front of the stranger's server that is open to everybody."""
    return [Process([sys.executable, "-m", "tests.readme_server"], address(environment), folder, **environment)]


def express(environment: dict[str, str], folder: Path) -> list[Process]:
    """With what the lock file says."""
    place = install(RECIPES / "express")
    return [Process(["node", str(place / "server.js")], address(environment), folder, **environment)]


def hapi(environment: dict[str, str], folder: Path) -> list[Process]:
    """With the classes and libraries that Maven has put beside each other."""
    place = maven.build(RECIPES / "hapi") / "target"
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # no time is spent on code that runs for seconds
    command = ["java", *quick, "-cp", f"{place}/classes:{place}/lib/*", "Server"]
    return [Process(command, address(environment), folder, **environment)]


def nginx(environment: dict[str, str], folder: Path) -> list[Process]:
    """nginx in front of the stranger's server that is open to everybody."""
    base = urlsplit(environment["FHIR_BASE"])
    url = f"http://127.0.0.1:{free_port()}{base.path}"
    behind = Process([sys.executable, str(ROOT / "demo/stranger/server.py")], url, folder, FHIR_BASE=url)
    try:
        return [nginx_before(urlsplit(url).netloc, environment, folder), behind]
    except AssertionError:
        behind.stop()
        raise


def nginx_before(upstream: str, environment: dict[str, str], folder: Path) -> Process:
    """nginx as the recipe configures it, in front of the server at that address."""
    base = urlsplit(environment["FHIR_BASE"])
    place = Path(tempfile.mkdtemp(prefix="smartauth-nginx-"))  # pytest's own folders are closed to nginx's workers
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    place.chmod(0o755)
    template = string.Template((RECIPES / "nginx" / "nginx.conf").read_text(encoding="utf-8"))
    known = {
        "FHIR_PATH": base.path,
        "SMARTAUTH": environment["INTROSPECT"].removesuffix("/o/introspect"),
        "CREDENTIALS": b64encode(f"{environment['CLIENT_ID']}:{environment['CLIENT_SECRET']}".encode()).decode(),
        "LISTEN": urlsplit(address(environment)).netloc,
        "UPSTREAM": upstream,
        "FOLDER": str(place),
    }
    (place / "nginx.conf").write_text(template.safe_substitute({**environment, **known}), encoding="utf-8")
    command = [_nginx(), "-p", str(place), "-e", "error.log", "-c", "nginx.conf"]
    return Process(command, address(environment), folder)


def _nginx() -> str:
    """Debian keeps it where a plain user's PATH does not look."""
    return shutil.which("nginx") or "/usr/sbin/nginx"


STRANGERS = {
    "stranger": python(ROOT / "demo/stranger/protected.py"),
    "django-rest-framework": python(RECIPES / "django_rest_framework/server.py"),
    "flask": python(RECIPES / "flask/server.py"),
    "express": express,
    "nginx": nginx,
    "hapi": hapi,
    "readme": readme,
}
