"""Servers of strangers: one FHIR base that smartauth protects, served by each recipe of the docs in turn."""

import atexit
import functools
import os
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
import zipfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import pytest

from tests import maven
from tests.npm import install_with_package
from tests.running import ROOT, Server, free_port

RECIPES = ROOT / "docs" / "recipes"
PACKAGE_NAME = "smartauth-enforcement"  # the middleware in JavaScript, among node's modules
WHO_IS_WHO = """
fhir_servers:
  - {{base: "{base}", name: Stranger, access_token_seconds: 3600, patients: [{{id: amy}}, {{id: ben}}]}}
  - {{base: "{other}", name: Another stranger, access_token_seconds: 3600, patients: [{{id: amy}}]}}
  - {{base: "{{issuer}}/fhir/r4", name: Harbour Clinic, access_token_seconds: 3600}}
people:
  - username: amy
    identities:
      - {{fhir_server: "{base}", fhir_user: Patient/amy, acts_for: [amy]}}
      - {{fhir_server: "{other}", fhir_user: Patient/amy, acts_for: [amy]}}
clients:
  - client_id: several
    name: An app whose tokens live side by side
    authentication: none
    supersede: "off"
    scope: patient/*.cruds
    fhir_servers: ["{base}", "{other}", "{{issuer}}/fhir/r4"]
    redirect_uris: ["http://127.0.0.1:4999/cb"]
  - client_id: short
    name: An app whose tokens live for a second
    authentication: none
    scope: patient/*.rs
    fhir_servers: ["{base}"]
    access_token_seconds: 1
    redirect_uris: ["http://127.0.0.1:4999/cb"]
  - client_id: {resource_server}
    name: Introspects for both bases, so that only aud tells them apart
    authentication: secret
    protects: [{{fhir_server: "{base}"}}, {{fhir_server: "{other}"}}]
"""


class Process:
    """A command that serves HTTP at a URL, started in a group of its own."""

    def __init__(self, command: list[str], url: str, folder: Path, place: Path = ROOT, /, **environment: str) -> None:
        self.url, self.log = url, folder / f"{urlsplit(url).port}.log"
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                command, cwd=place, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
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


@dataclass(frozen=True)
class Protected:
    """The stranger's base, a second one that is asked about with the same credentials, and how to get tokens."""

    server: Server
    environment: dict[str, str]
    other: str
    folder: Path

    @property
    def base(self) -> str:
        return self.environment["FHIR_BASE"]

    def token(self, scope: str = "patient/*.rs", *, client: str = "several", aud: str = "") -> str:
        """One that the running server mints, as a test in any language may have it."""
        order = {"client": client, "user": "amy", "patient": "amy", "aud": aud or self.base, "scope": scope}
        response = httpx.post(f"{self.server.url}/dev/tokens", json=order, timeout=30)
        return str(response.raise_for_status().json()["access_token"])

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        shown = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.base}/{path}", headers={**shown, **headers}, timeout=20)


@pytest.fixture(scope="module")
def protected(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Protected:
    """Protected in two commands: `fhir-server add`, and a seed file that says who is who there."""
    return make_protected(server, tmp_path_factory.mktemp("stranger"))


def make_protected(server: Server, folder: Path) -> Protected:
    """The same, with files in that folder."""
    base, other = (f"http://127.0.0.1:{free_port()}/fhir" for _ in range(2))
    environment = protect(server, base, "demo-public")
    protect(server, other)
    seed = folder / "who-is-who.yaml"
    seed.write_text(WHO_IS_WHO.format(base=base, other=other, resource_server=environment["CLIENT_ID"]))
    server.manage("seed", str(seed))
    return Protected(server, environment, other, folder)


def address(environment: dict[str, str]) -> str:
    """Where the stranger listens: at its base, or at PORT where a proxy with the name of the base stands before it."""
    if "PORT" not in environment:
        return environment["FHIR_BASE"]
    return f"http://127.0.0.1:{environment['PORT']}{urlsplit(environment['FHIR_BASE']).path}"


class Start(Protocol):
    """Starts a server with what `fhir-server add` said, and files in a folder; of a copy of the tree, where one is."""

    def __call__(self, environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]: ...


def python(file: str | Path) -> Start:
    """Serves with that file of the tree."""

    def start(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
        command = [sys.executable, str(tree / file)]
        return [Process(command, address(environment), folder, tree, **environment)]

    return start


def decided(*command: str) -> Start:
    """Serves so, with the records of the recipes and the middleware as the wheel brings it; of a copy, its own."""

    def start(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
        package = middleware() if tree == ROOT else tree / "clients/python"
        path = f"{package}:{tree}:{tree / 'docs/recipes/python'}"
        own = {"PYTHONPATH": path, **environment}
        return [Process([sys.executable, *command], address(environment), folder, tree, **own)]

    return start


@functools.cache
def middleware() -> Path:
    """The wheel of `clients/python`, unpacked. What builds it is in the lock, so that no index is asked."""
    place = Path(tempfile.mkdtemp(prefix="smartauth-enforcement-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    build = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, f"--wheel-dir={place}", ROOT / "clients/python"], check=True, timeout=120)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(place)
    return place


def express(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
    """With what the lock file says and our own package, in front of a server with the records of the recipes."""
    return _before_open_records(
        ["node", str(_with_packages("docs/recipes/express", tree) / "server.js")], environment, folder
    )


def _before_open_records(command: list[str], environment: dict[str, str], folder: Path) -> list[Process]:
    """That command, which finds the records of the recipes at UPSTREAM, open to everybody."""
    upstream = f"http://127.0.0.1:{free_port()}"
    behind = Process(
        [sys.executable, "-m", "tests.open_records"],
        upstream,
        folder,
        FHIR_BASE=environment["FHIR_BASE"],
        PORT=str(urlsplit(upstream).port),
        PYTHONPATH=f"{ROOT}:{RECIPES / 'python'}",
    )
    own = {**environment, "UPSTREAM": upstream}
    return started_before(behind, lambda: Process(command, address(environment), folder, **own))


def node_fhir_server_core(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
    """With what the lock file says and our own package."""
    place = _with_packages("tests/clients/node_fhir_server_core", tree)
    return [Process(["node", str(place / "middleware_server.js")], address(environment), folder, **environment)]


def _with_packages(name: str, tree: Path) -> Path:
    """The folder with its `node_modules`; of a copy of the tree, with the copy's own middleware among them."""
    installed = install_with_package(ROOT / name)
    modules = tree / name / "node_modules"
    if tree == ROOT:
        return installed
    if not modules.exists():
        modules.mkdir()
        for each in (installed / "node_modules").iterdir():
            (modules / each.name).symlink_to(
                each.resolve() if each.name != PACKAGE_NAME else tree / "clients/javascript"
            )
    return tree / name


def java(name: str) -> Start:
    """With the classes and libraries of that recipe that Maven put beside each other; of a copy, its own classes."""

    def start(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
        main = {"hapi": "Server", "spring": "org.example.Server"}[name]
        return [Process(_java_command(name, main, tree), address(environment), folder, **environment)]

    return start


_QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]  # no time is spent on code that runs for seconds


def _java_command(recipe: str, main: str, tree: Path) -> list[str]:
    place = maven.build(RECIPES / recipe) / "target"
    classes = place / "classes" if tree == ROOT else _compiled(recipe, tree, place)
    return ["java", *_QUICK, "-cp", f"{classes}:{place}/lib/*", main]


def _compiled(recipe: str, tree: Path, place: Path) -> Path:
    """The classes of that recipe in a copy of the tree. Raises AssertionError where they are no Java."""
    own, package = tree / "docs/recipes" / recipe, tree / maven.PACKAGE / "dev/smartauth/enforcement"
    classes = own / "classes"
    sources = [str(file) for where in (own, package, package / recipe) for file in sorted(where.glob("*.java"))]
    command = ["javac", *(f"-J{each}" for each in _QUICK), "-parameters", "-cp", f"{place}/lib/*", "-d", str(classes)]
    made = subprocess.run([*command, *sources], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
    return classes


def java_records(recipe: str, file: str) -> Start:
    """That recipe with the records of the recipes; the file is compiled as it starts."""

    def start(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
        command = _java_command(recipe, str(tree / "tests/clients/java_records" / file), tree)
        return _before_open_records(command, environment, folder)

    return start


def node_fhir_server_core_records(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
    """The same recipe with the records of the recipes."""
    place = _with_packages("tests/clients/node_fhir_server_core", tree)
    return _before_open_records(["node", str(place / "records_server.js")], environment, folder)


def nginx(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
    """nginx in front of the stranger's server that is open to everybody."""
    url = f"http://127.0.0.1:{free_port()}{urlsplit(environment['FHIR_BASE']).path}"
    behind = Process([sys.executable, str(ROOT / "demo/stranger/server.py")], url, folder, FHIR_BASE=url)
    return started_before(behind, lambda: nginx_before(urlsplit(url).netloc, environment, folder, tree))


def started_before(behind: Process, start: Callable[[], Process]) -> list[Process]:
    """What `start` puts before a server, and that server."""
    try:
        return [start(), behind]
    except AssertionError:
        behind.stop()
        raise


def nginx_before(upstream: str, environment: dict[str, str], folder: Path, tree: Path = ROOT) -> Process:
    """nginx as the recipe configures it, in front of the server at that address."""
    base = urlsplit(environment["FHIR_BASE"])
    place = Path(tempfile.mkdtemp(prefix="smartauth-nginx-"))  # pytest's own folders are closed to nginx's workers
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    place.chmod(0o755)
    template = string.Template((tree / "docs/recipes/nginx/nginx.conf").read_text(encoding="utf-8"))
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


def envoy(environment: dict[str, str], folder: Path, tree: Path = ROOT) -> list[Process]:
    """Envoy in front of the stranger's server that is open to everybody."""
    url = f"http://127.0.0.1:{free_port()}{urlsplit(environment['FHIR_BASE']).path}"
    behind = Process([sys.executable, str(ROOT / "demo/stranger/server.py")], url, folder, FHIR_BASE=url)
    return started_before(behind, lambda: envoy_before(urlsplit(url).netloc, environment, folder, tree))


def envoy_before(upstream: str, environment: dict[str, str], folder: Path, tree: Path = ROOT) -> Process:
    """Envoy as the recipe configures it, in front of the server at that address."""
    smartauth = urlsplit(environment["INTROSPECT"].removesuffix("/o/introspect"))
    base, behind = urlsplit(environment["FHIR_BASE"]), urlsplit(f"//{upstream}")
    known = {
        "FHIR_BASE": environment["FHIR_BASE"],
        "FHIR_PATH": base.path,
        "PORT": str(base.port),
        "SMARTAUTH": smartauth.geturl(),
        "SMARTAUTH_HOST": str(smartauth.hostname),
        "SMARTAUTH_PORT": str(smartauth.port),
        "CREDENTIALS": b64encode(f"{environment['CLIENT_ID']}:{environment['CLIENT_SECRET']}".encode()).decode(),
        "UPSTREAM_HOST": str(behind.hostname),
        "UPSTREAM_PORT": str(behind.port),
    }
    template = string.Template((tree / "docs/recipes/envoy/envoy.yaml").read_text(encoding="utf-8"))
    (folder / "envoy.yaml").write_text(template.substitute(known), encoding="utf-8")
    # that of the environment that runs the tests, which requirements/dev.txt brings, else of the PATH
    found = shutil.which("envoy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "envoy"
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]
    return Process([found, "-c", str(folder / "envoy.yaml"), *options], environment["FHIR_BASE"], folder)


def _nginx() -> str:
    """Debian keeps it where a plain user's PATH does not look."""
    return shutil.which("nginx") or "/usr/sbin/nginx"


STRANGERS: dict[str, Start] = {
    "stranger": python("demo/stranger/protected.py"),
    "django-rest-framework": decided("docs/recipes/python/django_rest_framework_server.py"),
    "fastapi": decided("docs/recipes/python/fastapi_server.py"),
    "flask": decided("docs/recipes/python/flask_server.py"),
    "express": express,
    "node-fhir-server-core": node_fhir_server_core,
    "nginx": nginx,
    "hapi": java("hapi"),
    "spring": java("spring"),
    "readme": decided("-m", "tests.readme_server"),
}
# which ask for a decision about each request
_SERVE_THE_RECORDS = ("django-rest-framework", "express", "fastapi", "flask", "readme")
DECIDED = (*_SERVE_THE_RECORDS, "node-fhir-server-core", "hapi", "spring")
# all of them with the records of the recipes; those in Java and node-fhir-server-core have few of their own
WITH_THE_RECORDS: dict[str, Start] = {
    **{name: STRANGERS[name] for name in _SERVE_THE_RECORDS},
    "node-fhir-server-core": node_fhir_server_core_records,
    "hapi": java_records("hapi", "HapiRecords.java"),
    "spring": java_records("spring", "SpringRecords.java"),
}
