"""Rules of the suite itself: what is skipped does not pass unseen, and workers share nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT
from tests.workers import own_environment

pytestmark = pytest.mark.one_engine

PROBE = """
import os, pytest

def test_one_is_skipped():
    pytest.skip("for a reason")

@pytest.mark.parametrize("number", range(4))
def test_another_runs(number):
    from django.conf import settings
    folder = settings.SMARTAUTH_DATA_DIR if os.environ["DJANGO_SETTINGS_MODULE"] else "nowhere"
    print("FOLDER", folder, os.environ["SMARTAUTH_REDIS_URL"])
"""


def run(folder: Path, *options: str, ci: str = "true", settings: str = "") -> subprocess.CompletedProcess[str]:
    """pytest on the files of a folder, with the plugins of the suite."""
    plugins = ["-p", "tests.skips", "-p", "tests.workers", "-p", "no:cacheprovider", "-c", os.devnull]
    environment = {**os.environ, "CI": ci, "SMARTAUTH_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)}
    environment |= {"DJANGO_SETTINGS_MODULE": settings, "SMARTAUTH_REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [sys.executable, "-m", "pytest", f"--rootdir={folder}", *plugins, *options, str(folder)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_what_is_skipped_in_ci_fails_the_run_by_name(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_probe.py").write_text(PROBE)
    (tmp_path / "test_nothing.py").write_text('import pytest\npytest.skip("whole", allow_module_level=True)\n')

    done = run(tmp_path, *workers)

    assert "4 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1
    _, _, named = done.stdout.partition("skipped, and not listed in tests/skips.py")
    assert {"test_probe.py::test_one_is_skipped", "test_nothing.py"} <= set(named.splitlines())


def test_elsewhere_a_skipped_test_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "test_probe.py").write_text(PROBE)

    done = run(tmp_path, ci="")

    assert ("4 passed, 1 skipped" in done.stdout, done.returncode) == (True, 0), done.stdout + done.stderr


def test_workers_share_neither_folder_nor_redis(tmp_path: Path) -> None:
    (tmp_path / "test_probe.py").write_text(PROBE)

    done = run(tmp_path, "-n", "2", "-rP", "--dist=load", settings="smartauth.settings")

    folders = {line for line in done.stdout.splitlines() if line.startswith("FOLDER")}
    assert folders == {
        f"FOLDER {tmp_path / 'data' / worker} redis://127.0.0.1:1/{number}"
        for worker, number in (("gw0", 1), ("gw1", 2))
    }, done.stdout + done.stderr


def test_a_worker_without_redis_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMARTAUTH_REDIS_URL", raising=False)
    monkeypatch.setenv("SMARTAUTH_DATA_DIR", "/somewhere")

    assert own_environment("gw1") == {"SMARTAUTH_DATA_DIR": "/somewhere/gw1"}
