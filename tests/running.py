"""A real server: uvicorn in processes of its own, on a free port, with databases of its own."""

import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.network import THIS, Machine
from tests.templates import Template, drop, named, on_postgresql, shared

_DJANGO = "import django; django.setup(); from django.core.management import call_command as call"
ROOT = Path(__file__).resolve().parent.parent
DATABASES = ("SMARTAUTH_DATABASE_URL", "SMARTAUTH_AUDIT_DATABASE_URL")
# A server that changes only these gets the demo data by a copy. Where another one differs, what is seeded may differ.
NOT_SEEDED = {
    "SMARTAUTH_ACCESS_TOKEN_SECONDS", "SMARTAUTH_AUDIT_SHIP_SECONDS", "SMARTAUTH_FAILURE_LIMIT", "SMARTAUTH_REDIS_URL",
    "SMARTAUTH_REFUSALS_LIMIT", "SMARTAUTH_TRUSTED_PROXIES",
}  # fmt: skip


class Server:
    """smartauth as an operator runs it. `start`, `kill` (-9) and `stop` may be called again and again; data stays."""

    def __init__(self, *, processes: int = 1, machine: Machine = THIS, **environment: str) -> None:
        self.machine = machine
        self.folder = Path(tempfile.mkdtemp(prefix="smartauth-test-"))
        self.port = free_port()
        self.processes = processes
        self.options: tuple[str, ...] = ()  # of `serve`
        self.tls: ssl.SSLContext | None = None  # of who asks it, where it speaks TLS
        self.tree = ROOT  # where its code is
        self.running: subprocess.Popen[bytes] | None = None
        self._databases: list[str] = []
        self._usual = {**os.environ, **self._own()}
        self.environment = {**self._usual, **environment}
        self.url = self.environment["SMARTAUTH_ISSUER"]

    def _own(self) -> dict[str, str]:
        own = {
            "SMARTAUTH_PORT": str(self.port),
            "SMARTAUTH_ISSUER": f"http://127.0.0.1:{self.port}",
            "SMARTAUTH_DATA_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "smartauth.settings",
            "SMARTAUTH_PENDING_REQUESTS": "100000",  # all requests of a test come from one address
        }
        if os.environ.get("SMARTAUTH_DATABASE_URL"):
            for variable in DATABASES:
                own[variable] = self._database(os.environ[variable])
        return own

    def _database(self, like: str) -> str:
        name = f"smartauth_{secrets.token_hex(6)}"
        on_postgresql(like, f'CREATE DATABASE "{name}"')
        self._databases.append(named(like, name))
        return self._databases[-1]

    def manage(self, *arguments: str) -> str:
        """What `manage.py` printed. Raises if it failed."""
        return self._run(str(self.tree / "manage.py"), *arguments)

    def _run(self, *arguments: str) -> str:
        command = [*self.machine.inside, sys.executable, *arguments]
        done = subprocess.run(command, env=self.environment, cwd=self.tree, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise AssertionError(f"{arguments} failed ({done.returncode}): {done.stdout}{done.stderr}")
        return done.stdout

    def migrate(self) -> None:
        """Both databases as the migrations leave them, by a copy where somebody has migrated such ones before."""
        if engine := self._engine():
            migrated(engine).copy_to(self.folder, self._databases, self.url)
        else:
            self._migrate()

    def _migrate(self) -> None:
        trail = "from audit.migrating import migrate_trail; migrate_trail()"
        self._run("-c", f"{_DJANGO}; call('migrate', verbosity=0); {trail}")

    def prepare(self) -> None:
        """Migrated, seeded with the demo people, clients and records, with keys; or a copy of such databases."""
        if (engine := self._engine()) and self._changed() <= NOT_SEEDED:
            _seeded(engine).copy_to(self.folder, self._databases, self.url)
        else:
            self._seed()

    def _seed(self) -> None:
        self.migrate()
        seed, records = str(ROOT / "smartauth.yaml"), [str(file) for file in (ROOT / "demo/fhir").glob("*.json")]
        keys = "from oauth.keys import signing_keys; signing_keys.ensure_keys()"
        self._run("-c", f"{_DJANGO}; call('seed', {seed!r}); call('load_fhir', *{records!r}); {keys}")

    def _engine(self) -> str:
        """The engine of its databases; "" if they are on a server of PostgreSQL that is not the run's own."""
        url = self.environment.get("SMARTAUTH_DATABASE_URL")
        if url in self._databases:
            return "postgresql"
        return "" if url else "sqlite"

    def _changed(self) -> set[str]:
        """The variables in which its environment differs from that of every other server."""
        names = {*self.environment, *self._usual}
        return {name for name in names if self.environment.get(name) != self._usual.get(name)}

    def start(self) -> "Server":
        command = [
            *self.machine.inside, sys.executable, str(self.tree / "manage.py"), "serve",
            f"--host={self.machine.address}", f"--port={self.port}", f"--processes={self.processes}", *self.options,
        ]  # fmt: skip
        log = (self.folder / "server.log").open("ab")
        self.running = subprocess.Popen(
            command, env=self.environment, cwd=self.tree, stdout=log, stderr=log, start_new_session=True
        )
        self.wait()
        return self

    @property
    def listens_at(self) -> str:
        """Its own address, whatever name stands before it."""
        return f"{'https' if self.tls else 'http'}://{self.machine.address}:{self.port}"

    def wait(self) -> None:
        """Until the process answers. Raises AssertionError with its log if it ended."""
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.running is not None and self.running.poll() is None:
            try:
                asked = httpx.get(f"{self.listens_at}/healthz", timeout=2, verify=self.tls or True)
                if asked.status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log()}")

    def log(self, *, since: int = 0) -> str:
        """Everything it has said so far, or since the file was of that size."""
        with (self.folder / "server.log").open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def kill(self) -> None:
        """kill -9 of every process of it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, sent: signal.Signals) -> None:
        if self.running is not None:
            with suppress(ProcessLookupError):  # it did not start
                os.killpg(self.running.pid, sent)
            self.running.wait(30)
            self.running = None

    def remove(self) -> None:
        self.kill()
        for url in self._databases:
            drop(url)
        shutil.rmtree(self.folder, ignore_errors=True)


def migrated(engine: str) -> Template:
    return shared(f"migrated-{engine}", lambda: _made(engine, Server._migrate))


def migrate_further(tree: Path) -> Template:
    """What the tests in a changed copy of this tree begin with: databases of this one, migrated by the code there."""

    def migrate(server: Server) -> None:
        server.migrate()
        server.tree = tree
        server._migrate()

    return shared("migrated-sqlite", lambda: _made("sqlite", migrate), tree)


def _seeded(engine: str) -> Template:
    return shared(f"seeded-{engine}", lambda: _made(engine, Server._seed).with_issuer_columns())


def _made(engine: str, prepare: Callable[[Server], None]) -> Template:
    with pytest.MonkeyPatch.context() as patch:
        for name in DATABASES if engine == "sqlite" else ():
            patch.delenv(name, raising=False)
        server = Server()
    prepare(server)
    return Template(server.url, str(server.folder), server._databases)


def production_secrets() -> dict[str, str]:
    """What a server outside development does not start without."""
    names = ("SMARTAUTH_SECRET_KEY", "SMARTAUTH_KEY_ENCRYPTION_KEYS", "SMARTAUTH_FHIR_CLIENT_SECRET")
    return {name: Fernet.generate_key().decode() for name in names}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A real server with the demo data, one for all tests of a module."""
    made = Server()
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def lenient() -> Iterator[Server]:
    """A server with the demo data that does not end the access of somebody who is refused again and again."""
    made = Server(SMARTAUTH_REFUSALS_LIMIT="0")
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A real server with the demo data, for a test that stops or kills it."""
    made = Server()
    try:
        made.prepare()
        yield made.start()
    finally:
        made.remove()
