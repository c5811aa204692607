"""Two development servers in one checkout leave each other alone, and a shell beside them means the right one."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dev_server import Dev
from tests.running import ROOT, free_port, migrated

pytestmark = pytest.mark.one_engine

SHOW = "from oauth.models import Client; print(Client.objects.get(client_id='demo-public').redirect_uris)"


@pytest.fixture(scope="module")
def first() -> Iterator[Dev]:
    """One that runs."""
    made = Dev()
    try:
        made.place.migrate()
        made.start()
        yield made
    finally:
        made.remove()


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in another shell."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def shell_beside(first: Dev) -> dict[str, str]:
    """A shell that knows the data folder (elsewhere that is the checkout's own) and the databases, nothing else."""
    names = ("SMARTAUTH_DATA_DIR", "SMARTAUTH_DATABASE_URL", "SMARTAUTH_AUDIT_DATABASE_URL")
    others = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
    chosen = {name: first.place.environment[name] for name in names if name in first.place.environment}
    return {**others, **chosen}


def recommended(refusal: str) -> dict[str, str]:
    """The variables of the command that a refusal ends with."""
    (line,) = re.findall(r"For another one: (.*) make run", refusal)
    return dict(re.findall(r"(SMARTAUTH_\w+)=(\S+)", line))


def test_commands_in_another_shell_name_the_port_of_the_server_that_runs(first: Dev) -> None:
    added = manage(shell_beside(first), "fhir-server", "add", "https://fhir.example.org/r4")

    assert first.place.url in added.stdout
    assert "127.0.0.1:8000" not in added.stdout


def test_a_seed_from_another_shell_moves_no_client(first: Dev) -> None:
    seeded = manage(shell_beside(first), "seed", "smartauth.yaml")

    assert seeded.returncode == 0
    assert f"{first.place.url}/demo/callback" in first.place.manage("shell", "-c", SHOW)


def test_a_second_server_of_the_same_data_is_refused(first: Dev) -> None:
    port = free_port()
    another = {"SMARTAUTH_PORT": str(port), "SMARTAUTH_ISSUER": f"http://127.0.0.1:{port}"}

    refused = manage({**first.place.environment, **another}, "dev")

    assert refused.returncode != 0
    assert f"A server with this data folder runs at {first.place.url}" in refused.stderr
    assert f"{first.place.url}/demo/callback" in first.place.manage("shell", "-c", SHOW)


@pytest.mark.sqlite
def test_what_the_refusal_recommends_works_and_leaves_the_first_as_it_was(first: Dev) -> None:
    for is_last in (False, False, True):
        refusal = manage(first.place.environment, "dev").stderr
        assert f"Port {first.place.port}" in refusal
        second = Dev(**recommended(refusal))
        folder = Path(second.place.environment["SMARTAUTH_DATA_DIR"])
        folder.mkdir(mode=0o700, parents=True)
        migrated("sqlite").copy_to(folder, [], second.place.url)
        try:
            printed = second.start()
            ours = second.place.manage("shell", "-c", SHOW)
            break
        except AssertionError as error:
            if is_last or "cannot be used" not in str(error):  # another test has taken the port meanwhile
                raise
        finally:
            second.remove()
            shutil.rmtree(folder, ignore_errors=True)

    url = second.place.environment["SMARTAUTH_ISSUER"]
    assert f"smartauth runs at {url}" in printed
    assert f"{url}/demo/callback" in ours
    assert f"{first.place.url}/demo/callback" in first.place.manage("shell", "-c", SHOW)


@pytest.mark.postgresql
def test_a_second_server_on_the_databases_of_the_first_is_refused(first: Dev, tmp_path: Path) -> None:
    port = free_port()
    own = {
        "SMARTAUTH_PORT": str(port),
        "SMARTAUTH_ISSUER": f"http://127.0.0.1:{port}",
        "SMARTAUTH_DATA_DIR": str(tmp_path),
    }

    refused = manage({**first.place.environment, **own}, "dev")

    assert refused.returncode != 0
    assert f"The database holds the demo of {first.place.url}, which runs" in refused.stderr
    assert f"{first.place.url}/demo/callback" in first.place.manage("shell", "-c", SHOW)
