"""`make run` as somebody meets it: what it prints is run as printed."""

import html
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.running import ROOT, Server

LAST_LINE = "401: the token is revoked"


class Dev:
    """`manage.py dev` in a data folder and on a port of its own."""

    def __init__(self) -> None:
        self.place = Server()
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
        deadline = time.monotonic() + 90
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
        deadline = time.monotonic() + 15
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


@pytest.fixture
def dev() -> Iterator[Dev]:
    """Not started yet, for a test that stops or kills it."""
    made = Dev()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def running() -> Iterator[Dev]:
    """One that runs, for all tests that leave it running."""
    made = Dev()
    try:
        made.start()
        yield made
    finally:
        made.remove()


def manage_dev(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`manage.py dev` where it is expected to give up."""
    return subprocess.run(
        [sys.executable, "manage.py", "dev"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def in_bash(lines: list[str], environment: dict[str, str]) -> list[str]:
    """What each line printed last, run in one shell as if pasted."""
    script = "\n".join(f"{line}\necho; echo '--- end'" for line in lines)
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=script,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [part.strip().splitlines()[-1] if part.strip() else "" for part in done.stdout.split("--- end")[:-1]]


def commands(printed: str) -> list[str]:
    """The lines that are meant for a shell."""
    return [line for line in printed.splitlines() if line.startswith(("TOKEN=", "curl "))]


def test_what_is_printed_works_as_printed(running: Dev) -> None:
    inherited = {
        name: value
        for name, value in running.place.environment.items()
        if not name.startswith("SMARTAUTH_") or name.endswith("DATABASE_URL")
    }

    lines = commands(running.printed())

    assert len(lines) == 4
    assert in_bash(lines, inherited) == ["", "200", "404", "401"]


def test_the_home_page_shows_the_same_commands(running: Dev) -> None:
    page = html.unescape(httpx.get(running.place.url).text)

    assert len(commands(running.printed())) == 4
    assert all(line in page for line in commands(running.printed()))


def test_a_taken_port_is_named_with_the_way_to_another(running: Dev) -> None:
    refused = manage_dev(running.place.environment)

    assert refused.returncode != 0
    assert f"Port {running.place.port}" in refused.stderr
    assert "SMARTAUTH_PORT=" in refused.stderr


def test_outside_development_it_refuses(running: Dev) -> None:
    secret = Fernet.generate_key().decode()
    production = {
        "SMARTAUTH_DEV": "false",
        "SMARTAUTH_SECRET_KEY": secret,
        "SMARTAUTH_KEY_ENCRYPTION_KEYS": secret,
        "SMARTAUTH_FHIR_CLIENT_SECRET": secret,
    }

    refused = manage_dev({**running.place.environment, **production})

    assert refused.returncode != 0
    assert "This starts a development server" in refused.stderr


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_stops_everything_it_started_and_starts_again_on_its_data(dev: Dev, sent: signal.Signals) -> None:
    dev.start()
    before = httpx.get(f"{dev.place.url}/o/jwks").json()

    status = dev.stop(sent)
    left = dev.others_running()
    again = dev.start()

    assert (status, left) == (0, False)
    assert "Traceback" not in again
    assert "nothing to change" in again
    assert httpx.get(f"{dev.place.url}/o/jwks").json() == before


def test_a_killed_server_takes_its_worker_with_it(dev: Dev) -> None:
    dev.start()

    dev.stop(signal.SIGKILL)

    assert not dev.others_running()
