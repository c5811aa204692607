"""`manage.py dev`: everything that a development server needs, prepared and started by one command."""

import os
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit.migrating import migrate_trail
from oauth.demo import credentials, quickstart
from oauth.keys import signing_keys
from smartauth.data_folder import make_new_files_private
from smartauth.new_databases import create_tables
from smartauth.resources import IS_INSTALLED
from smartauth.running_server import DATA_DIR, ISSUER, PORT, AlreadyRuns, RunningServer, announce
from smartauth.serving import port_problem, serve
from smartauth.task_worker import task_worker

HOST = "127.0.0.1"
LOOPBACK = frozenset({HOST, "::1", "localhost"})
KEEP_ALIVE_SECONDS = 30
STOP_SECONDS = 10


class Command(BaseCommand):
    help = "Prepare and start a development server: databases, keys, demo data, task worker, web server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=HOST, help="Address to listen on; another one for a container alone.")

    def handle(self, *, host: str, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("This starts a development server; SMARTAUTH_DEV is off or the issuer is no loopback.")
        make_new_files_private()
        server = RunningServer(settings.SMARTAUTH_PORT, settings.SMARTAUTH_ISSUER)
        _refuse_a_taken_port(host, server.port)
        try:
            with announce(settings.SMARTAUTH_DATA_DIR, server):
                self._run(host, server.port)
        except AlreadyRuns as other:
            raise CommandError(f"A server with this data folder runs at {other}. {_advice(server.port)}") from None

    def _run(self, host: str, port: int) -> None:
        self._prepare()
        with _exit_on_signals(), task_worker():
            threading.Thread(target=self._welcome, args=[host], daemon=True).start()
            serve(
                host,
                port,
                log_config=None,
                log_level="warning",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )

    def _prepare(self) -> None:
        """Each step changes nothing where it was done before."""
        self._say("databases")
        create_tables()
        call_command("migrate", verbosity=0, interactive=False)
        migrate_trail()
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        _refuse_the_demo_of_another_server()
        self._say("keys")
        signing_keys.ensure_keys()
        self._say("demo data")
        call_command("seed", str(settings.BASE_DIR / "smartauth.yaml"), stdout=self.stdout)
        records = [str(settings.BASE_DIR / f"demo/fhir/{version}.json") for version in settings.SMARTAUTH_FHIR_BASES]
        call_command("load_fhir", *records, stdout=self.stdout)
        connections.close_all()

    def _say(self, step: str) -> None:
        self.stdout.write(f"smartauth: {step}")
        self.stdout.flush()

    def _welcome(self, host: str) -> None:
        """Printed once the server answers."""
        if not _wait_until_it_answers(f"http://{HOST}:{settings.SMARTAUTH_PORT}/healthz"):
            return
        if host not in LOOPBACK:
            self.stdout.write(open_door_banner())
        logins = ", ".join(credentials.PEOPLE)
        commands = [f"# {command.about}\n{command.line}\n" for command in quickstart.commands()]
        lines = [
            f"\nsmartauth runs at {settings.SMARTAUTH_ISSUER}   (stop: Ctrl-C)",
            f"  what is here   {settings.SMARTAUTH_ISSUER}/",
            f"  FHIR bases     {'  '.join(settings.SMARTAUTH_FHIR_BASES.values())}",
            f"  data           {settings.SMARTAUTH_DATA_DIR}",
            f"  operators      {settings.SMARTAUTH_ISSUER}/admin/",
            f"  logins         {logins}; password of all: {credentials.PASSWORD}",
            "Development server: these passwords are public. Put no real patient data here.\n",
            "In another shell:\n" if IS_INSTALLED else "In another shell, in this folder:\n",
            *commands,
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def open_door_banner() -> str:
    """What a server says that listens beyond its machine: who may sign in as an operator with a public password."""
    networks = [str(network) for network in settings.SMARTAUTH_DEV_NETWORKS]
    reached = f"Every machine in {', '.join(networks)}" if networks else "Only this machine"
    lines = [
        "DEVELOPMENT SERVER, OPEN TO A NETWORK",
        f"{reached} can sign in as an operator: the passwords are public.",
        "Never put real patient data here. SMARTAUTH_DEV_NETWORKS says who may ask.",
    ]
    frame = "!" * (max(map(len, lines)) + 6)
    return "\n".join(["", frame, *(f"!! {line.ljust(len(frame) - 6)} !!" for line in lines), frame, ""])


def _refuse_a_taken_port(host: str, port: int) -> None:
    if problem := port_problem(host, port):
        raise CommandError(f"Port {port} of {host} cannot be used ({problem}). {_advice(port)}")


def _advice(port: int) -> str:
    """The command that starts a second server beside the first: a port, and whatever else would be shared."""
    free = next((each for each in range(port + 1, 65_536) if not port_problem(HOST, each)), 0)
    chosen = {PORT: str(free)}
    if os.environ.get(ISSUER):
        chosen[ISSUER] = f"http://{HOST}:{free}"
    if os.environ.get(DATA_DIR):
        chosen[DATA_DIR] = f"{settings.SMARTAUTH_DATA_DIR}-{free}"
    return (
        "For another one: "
        + " ".join(f"{name}={shlex.quote(value)}" for name, value in chosen.items())
        + (" smartauth dev" if IS_INSTALLED else " make run")
    )


def _refuse_the_demo_of_another_server() -> None:
    """Two servers with one database would take the demo clients from each other."""
    other = credentials.demo_issuer()
    if other not in {"", settings.SMARTAUTH_ISSUER} and _is_answering(f"{other}/healthz"):
        raise CommandError(
            f"The database holds the demo of {other}, which runs. Give this server databases of its own: "
            "SMARTAUTH_DATABASE_URL, SMARTAUTH_AUDIT_DATABASE_URL."
        )


def _is_answering(url: str) -> bool:
    with suppress(httpx.HTTPError, httpx.InvalidURL):
        return httpx.get(url, trust_env=False, timeout=2).is_success
    return False


@contextmanager
def _exit_on_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal unwind like Ctrl-C, so that what was started is stopped."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    with suppress(KeyboardInterrupt):
        yield


def _wait_until_it_answers(url: str) -> bool:
    transport = httpx.HTTPTransport(retries=0)
    with httpx.Client(transport=transport, trust_env=False, timeout=2) as client:
        for _ in range(300):
            try:
                if client.get(url).is_success:
                    return True
            except httpx.TransportError:
                threading.Event().wait(0.1)
    return False
