"""`make run` as somebody meets it: what it prints is run as printed."""

import html
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from cryptography.fernet import Fernet

from tests.dev_server import Dev
from tests.running import ROOT

pytestmark = pytest.mark.one_engine


@pytest.fixture
def dev() -> Iterator[Dev]:
    """Migrated and not started yet, for a test that stops or kills it."""
    made = Dev()
    try:
        made.place.migrate()
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


@pytest.mark.requirement("SB-07")
def test_what_it_writes_is_for_its_owner_alone(running: Dev) -> None:
    written = [path for path in running.place.folder.rglob("*") if path.is_file() and path.suffix != ".log"]

    databases = set() if os.environ.get("SMARTAUTH_DATABASE_URL") else {"smartauth.sqlite3", "audit.sqlite3"}
    assert {path.name for path in written} >= {"secret-key", "running.json", *databases}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


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
