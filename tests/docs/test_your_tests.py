"""What the pages about tests of other projects show is run as it is printed: by pytest, node and java."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from smartauth_probe.catalogue import kinds
from tests.running import ROOT, Server, free_port

FILE = re.compile(r"^<!-- (?P<name>[\w.]+) -->\n```[a-z]+\n(?P<text>.*?)^```$", re.M | re.S)
PAGES = ROOT / "docs/how-to"
SKIPPED = "address-blocked"  # it takes another client


def write_files(page: str, folder: Path) -> None:
    """Each file of a page, in that folder."""
    for found in FILE.finditer((PAGES / page).read_text(encoding="utf-8")):
        (folder / found["name"]).write_text(found["text"], encoding="utf-8")


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=300)


@pytest.mark.one_engine
def test_the_project_of_the_page_starts_a_server_of_its_own_and_sends_every_kind(tmp_path: Path) -> None:
    """As in an environment of somebody else: the plugin is named, since the distribution is not installed here."""
    write_files("test-your-server.md", tmp_path)
    conftest = tmp_path / "conftest.py"
    conftest.write_text(conftest.read_text(encoding="utf-8").replace("9001", str(free_port())), encoding="utf-8")
    for name, copy in {
        "flask_server.py": "server.py",
        "records.py": "records.py",
        "records.json": "records.json",
    }.items():
        (tmp_path / copy).write_bytes((ROOT / "docs/recipes/python" / name).read_bytes())
    (tmp_path / "pytest.ini").touch()
    command = f"{sys.executable} {ROOT / 'manage.py'} dev"

    done = run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "smartauth_probe.pytest_plugin", "-p", "no:django", "-p",
         "no:cacheprovider", "--smartauth-command", command],
        tmp_path,
        PYTHONPATH=f"{ROOT}:{ROOT / 'clients/python'}",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(kinds()) + 1} passed, 1 skipped" in done.stdout
    assert f"{SKIPPED}: such a token cannot be made here: it takes a client or FHIR server" in done.stdout


@pytest.mark.clients
def test_the_example_in_javascript_finds_the_bundled_server_right(lenient: Server, tmp_path: Path) -> None:
    write_files("test-from-other-languages.md", tmp_path)

    done = run(["node", "--test", "tokens.test.mjs"], tmp_path, SMARTAUTH_URL=lenient.url)

    assert done.returncode == 0, done.stdout
    assert f"# pass {len(kinds()) - 3}\n" in done.stdout
    assert "# skipped 3\n" in done.stdout


@pytest.mark.clients
def test_the_example_in_java_finds_the_bundled_server_right(lenient: Server, tmp_path: Path) -> None:
    write_files("test-from-other-languages.md", tmp_path)
    sent = [kind for kind in kinds().values() if kind.group != "On the way"]

    done = run(["java", "-XX:TieredStopAtLevel=1", "Main.java"], tmp_path, SMARTAUTH_URL=lenient.url)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": right\n") == len(sent) - 1
    assert f"{SKIPPED}: skipped, such a token cannot be made here" in done.stdout
