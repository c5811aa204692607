"""What is measured: this server started on its core, ready to be asked, and stopped again; what its peers need too."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from joserfc.jwk import ECKey

from bench import decisions, exchange, introspections

ROOT = Path(__file__).resolve().parent.parent
INTROSPECTION, SECRET, ES384 = "introspection", "secret", "es384"
SIGNED, OPAQUE = "signed", "opaque"  # the same as SECRET, with one kind of token from every server
REFRESH, REVOCATION = "refresh", "revocation"
A_SECRET = "a-secret-that-was-drawn-at-random"
MOST_SIGNED = 4000  # assertions a second: each is good once, so they must last for the fastest
MOST_REVOKED = 16_000  # the same of tokens
APPS = 100
LAUNCHES = 64  # refresh tokens of a round
START_SECONDS = 60
TICK = os.sysconf("SC_CLK_TCK")


def basic(client_id: str) -> str:
    """The Authorization header of a client; all clients of the benchmark have the same secret."""
    return "Basic " + base64.b64encode(f"{client_id}:{A_SECRET}".encode()).decode()


@dataclass
class Contender:
    """A server that runs: where it is asked, what for, and the processes whose CPU time is its own."""

    name: str
    port: int
    path: str
    tokens: list[tuple[str, str]]
    process: subprocess.Popen[bytes]
    database: int = 0
    token_path: str = ""
    key: Path | None = None
    revocation_path: str = ""
    revocable: list[tuple[str, str]] = field(default_factory=list)
    refresh_tokens: list[tuple[str, str]] = field(default_factory=list)
    codes: list[tuple[str, str]] = field(default_factory=list)
    dead: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    bearer: str = ""
    most_revoked: int = MOST_REVOKED
    opaque_kind: str = "service"  # whose tokens are opaque

    def load_plan(self, what: str, seconds: float) -> dict[str, Any]:
        """What the load generator has to know to ask for that, for so long."""
        if what in (INTROSPECTION, decisions.READ, decisions.SEARCH):
            return {
                "port": self.port,
                "what": what,
                "path": self.path if what == INTROSPECTION else decisions.PATH,
                "base": f"http://127.0.0.1:{self.port}/fhir/r4",
                "authorization": basic("resource-server"),
                "tokens": self.tokens,
            }
        if what in introspections.ROWS:
            return self._introspection_plan(what, seconds)
        if what == REFRESH:
            tokens = _take(self.refresh_tokens, LAUNCHES)
            return {"port": self.port, "what": what, "path": self.token_path, "tokens": tokens}
        if what == exchange.EXCHANGE:
            tokens = _take(self.codes, int(seconds * exchange.MOST))
            return {"port": self.port, "what": what, "path": self.token_path, "tokens": tokens}
        if what == REVOCATION:
            tokens = _take(self.revocable, int(seconds * self.most_revoked))
            return {"port": self.port, "what": what, "path": self.revocation_path, "tokens": tokens}
        kind = self.opaque_kind if what == OPAQUE else "signer" if what == ES384 else "service"
        clients = [f"{kind}-{number}" for number in range(APPS)]
        more = self._signed(seconds) if what == ES384 else {"resource": f"http://127.0.0.1:{self.port}/fhir/r4"}
        return {"port": self.port, "what": what, "path": self.token_path, "clients": clients, **more}

    def _introspection_plan(self, what: str, seconds: float) -> dict[str, Any]:
        authorization = f"Bearer {self.bearer}" if what == introspections.BY_TOKEN else basic("resource-server")
        plan = {"port": self.port, "what": what, "path": self.path, "tokens": self.dead.get(what, self.tokens)}
        if what == introspections.BY_ASSERTION:
            return {**plan, "authorization": "", "clients": [introspections.CALLER], **self._signed(seconds)}
        return {**plan, "authorization": authorization}

    def _signed(self, seconds: float) -> dict[str, Any]:
        return {"key": str(self.key), "count": int(seconds * MOST_SIGNED), "audience": self.token_path}

    def cpu_seconds(self) -> tuple[float, float]:
        """What the server's processes and its database have used so far."""
        return cpu_seconds(self.process.pid), cpu_seconds(self.database)


def _take(tokens: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """So many that nobody has used, each good once."""
    if len(tokens) < count:
        raise SystemExit(f"{len(tokens)} unused tokens are left, {count} are needed: fewer rounds, or more --tokens")
    taken, tokens[-count:] = tokens[-count:], []
    return taken


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def cpu_of(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def cpu_seconds(parent: int) -> float:
    """What a process and its children have used so far."""
    return sum(map(cpu_of, (parent, *children(parent))))


def memory_mib(process: int) -> float:
    """What lies in memory of it."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def children(parent: int) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()] if parent else []
    return [pid for pid in pids if (fields := _stat(pid)) and int(fields[1]) == parent]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def stop_at_sigterm() -> None:
    """From now on SIGTERM ends this process as an exception does, so that whatever is `running` is stopped."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would leave servers behind
    raise SystemExit(128 + number)


@contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process, once it listens on its port. Raises SystemExit with its last words if it does not."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=said, env={**os.environ, **environment}, cwd=ROOT, start_new_session=True
        )
    try:
        _wait(process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{process.args!r} does not answer:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def key_pair(folder: Path) -> Path:
    """The key with which all signing clients of either server prove themselves."""
    file = folder / "key.json"
    key = ECKey.generate_key("P-384", {"kid": "bench", "use": "sig", "alg": "ES384"}, private=True)
    halves = {"private": key.as_dict(private=True), "public": {"keys": [key.as_dict(private=False)]}}
    file.write_text(json.dumps(halves), encoding="utf-8")
    return file


def smartauth_environment(folder: Path, port: int) -> dict[str, str]:
    """Its settings beside those that bench/run has exported."""
    return {
        "DJANGO_SETTINGS_MODULE": "smartauth.settings",
        "SMARTAUTH_ISSUER": f"http://127.0.0.1:{port}",
        "SMARTAUTH_DEV": "false",
        "SMARTAUTH_DATA_DIR": str(folder / "data"),
    }


@contextmanager
def smartauth(
    folder: Path, key: Path, *, tokens: int, pool: int, launches: int, codes: int, database: int, processes: int = 1
) -> Iterator[Contender]:
    """This server as it is run in production, with its tokens in PostgreSQL."""
    port, file = free_port(), folder / "issued-by-smartauth.json"
    environment = smartauth_environment(folder, port)
    numbers = [str(number) for number in (tokens, pool, APPS, launches, codes)]
    seed = [sys.executable, "-m", "bench.seed", *numbers, str(file), str(key)]
    subprocess.run(seed, env={**os.environ, **environment}, cwd=ROOT, check=True)
    with serving(folder, port, processes, **environment) as process:
        issued = json.loads(file.read_text(encoding="utf-8"))
        yield Contender(
            "smartauth on PostgreSQL",
            port,
            "/o/introspect",
            issued["tokens"],
            process,
            database,
            token_path="/o/token",
            key=key,
            revocation_path="/o/revoke",
            revocable=[(f"digest{number}", issued["tokens"][-1][1]) for number in range(1, tokens - pool + 1)],
            refresh_tokens=issued["refresh"],
            codes=exchange.copies(codes, APPS),
            dead=issued["dead"],
            bearer=issued["bearer"],
            opaque_kind="opaque",
        )


@contextmanager
def serving(folder: Path, port: int, processes: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py serve` with so many processes; one is the server itself, several have a parent that serves nothing."""
    command = [sys.executable, str(ROOT / "manage.py"), "serve", f"--port={port}", f"--processes={processes}"]
    with running(command, port, folder / f"smartauth-{port}.log", **environment) as process:
        yield process


@contextmanager
def constant(folder: Path) -> Iterator[Contender]:
    """No server at all: one fixed answer, as fast as it can be sent."""
    port = free_port()
    with running([sys.executable, "-m", "bench.constant", str(port)], port, folder / "constant.log") as process:
        yield Contender("a fixed answer", port, "/", [("t" * 600, "app-0")] * 500, process)
