"""What the plugin makes of somebody's project; a whole run with a real server is in tests/docs/test_your_tests.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smartauth_probe.catalogue import kinds
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

PROJECT = """
import pytest

def test_every_kind(smartauth_bad_token):
    pass

@pytest.mark.parametrize("smartauth_bad_token", ["expired", "alg-none"], indirect=True)
def test_two_kinds(smartauth_bad_token):
    pass

@pytest.mark.parametrize(("name", "smartauth_bad_token"), [("x", "expired")], indirect=["smartauth_bad_token"])
def test_one_kind(name, smartauth_bad_token):
    pass

def test_a_good_one(smartauth_token):
    pass
"""


def run(folder: Path, *options: str, **environment: str) -> str:
    (folder / "test_project.py").write_text(PROJECT, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nsmartauth_url = http://127.0.0.1:3\n", encoding="utf-8")
    plugins = ["-p", "smartauth_probe.pytest_plugin", "-p", "no:django", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, *options]
    known = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=120).stdout


def test_a_test_runs_once_for_each_kind_or_for_those_that_it_names(tmp_path: Path) -> None:
    collected = run(tmp_path, "--collect-only", "--quiet").splitlines()

    assert [line for line in collected if "test_every_kind[" in line] == [
        f"test_project.py::test_every_kind[{name}]" for name in kinds()
    ]
    assert len([line for line in collected if "test_two_kinds[" in line]) == 2
    assert len([line for line in collected if "test_one_kind[" in line]) == 1


def test_a_server_that_is_not_there_is_named_and_the_command_line_comes_first(tmp_path: Path) -> None:
    by_option = run(tmp_path, "-k", "good", "--smartauth-url", "http://127.0.0.1:1", SMARTAUTH_URL="http://127.0.0.1:2")
    by_variable = run(tmp_path, "-k", "good", SMARTAUTH_URL="http://127.0.0.1:2")
    by_file = run(tmp_path, "-k", "good")

    for port, said in enumerate((by_option, by_variable, by_file), 1):
        assert f"There is no smartauth to test with. http://127.0.0.1:{port} did not answer" in said


def test_a_command_that_starts_no_server_is_quoted(tmp_path: Path) -> None:
    command = f"{sys.executable} -c \"print('no database'); raise SystemExit(2)\""

    said = run(tmp_path, "-k", "good", "--smartauth-command", command, "-o", "smartauth_url=")

    assert "There is no smartauth to test with." in said
    assert "ended with 2. It said:\nE   no database" in said or "ended with 2. It said:\nno database" in said
