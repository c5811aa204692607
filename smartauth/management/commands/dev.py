"""`manage.py dev`: everything that a development server needs, prepared and started by one command."""

import ctypes
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from oauth.demo import credentials, quickstart
from oauth.keys import signing_keys
from smartauth.serving import serve

HOST = "127.0.0.1"
WORKER = (
    "-A",
    "smartauth",
    "--quiet",
    "worker",
    "-P",
    "solo",
    "-B",
    "-l",
    "ERROR",
    "--without-gossip",
    "--without-mingle",
)
KEEP_ALIVE_SECONDS = 30
STOP_SECONDS = 10


class Command(BaseCommand):
    help = "Prepare and start a development server: databases, keys, demo data, task worker, web server."

    def handle(self, **options: Any) -> None:
        if not settings.SMARTAUTH_DEV:
            raise CommandError("This starts a development server; SMARTAUTH_DEV is off or the issuer is no loopback.")
        _refuse_a_taken_port(settings.SMARTAUTH_PORT)
        self._prepare()
        with _exit_on_signals(), _task_worker():
            threading.Thread(target=self._welcome, daemon=True).start()
            serve(
                HOST,
                settings.SMARTAUTH_PORT,
                log_config=None,
                log_level="warning",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )

    def _prepare(self) -> None:
        """Each step changes nothing where it was done before."""
        self._say("databases")
        for alias in ("default", "audit"):
            call_command("migrate", database=alias, verbosity=0, interactive=False)
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        self._say("keys")
        signing_keys.ensure_keys()
        self._say("demo data")
        call_command("seed", str(settings.BASE_DIR / "smartauth.yaml"), stdout=self.stdout)
        call_command("load_fhir", str(settings.BASE_DIR / "demo/fhir/r4.json"), stdout=self.stdout)
        connections.close_all()

    def _say(self, step: str) -> None:
        self.stdout.write(f"smartauth: {step}")
        self.stdout.flush()

    def _welcome(self) -> None:
        """Printed once the server answers."""
        if not _wait_until_it_answers(f"http://{HOST}:{settings.SMARTAUTH_PORT}/healthz"):
            return
        logins = ", ".join(credentials.PEOPLE)
        commands = [f"# {command.about}\n{command.line}\n" for command in quickstart.commands()]
        lines = [
            f"\nsmartauth runs at {settings.SMARTAUTH_ISSUER}   (stop: Ctrl-C)",
            f"  what is here   {settings.SMARTAUTH_ISSUER}/",
            f"  FHIR base      {settings.SMARTAUTH_FHIR_BASES['r4']}",
            f"  operators      {settings.SMARTAUTH_ISSUER}/admin/",
            f"  logins         {logins}; password of all: {credentials.PASSWORD}",
            "Development server: these passwords are public. Put no real patient data here.\n",
            "In another shell, in this folder:\n",
            *commands,
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _refuse_a_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}). "
                f"Choose another one: SMARTAUTH_PORT={port + 1} make run"
            ) from None


@contextmanager
def _exit_on_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal unwind like Ctrl-C, so that what was started is stopped."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    with suppress(KeyboardInterrupt):
        yield


@contextmanager
def _task_worker() -> Iterator[None]:
    """The task worker with its scheduler, as a child that ends with us."""
    running = subprocess.Popen(  # noqa: S603  # our own interpreter with fixed arguments
        [sys.executable, "-m", "celery", *WORKER, "--schedule", str(settings.CELERY_BEAT_SCHEDULE_FILENAME)],
        cwd=settings.BASE_DIR,
        preexec_fn=_die_with_parent,  # safe: no thread runs yet
    )
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()


def _die_with_parent() -> None:
    """Linux: a worker whose parent was killed would hold the schedule file of the next one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


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
