"""How `manage.py` begins: arguments that are not UTF-8 are named, never a traceback; garbage waits for a while."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [[b"password", b"a\xff"], [b"seed", b"\xff.yaml"], [b"\xff"]])
def test_an_argument_that_is_not_utf_8_is_named(command: list[bytes]) -> None:
    done = subprocess.run([sys.executable, ROOT / "manage.py", *command], capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr.startswith(f"manage.py: argument {len(command)} is not UTF-8: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("program", [["manage.py"], ["-m", "smartauth", "manage"]], ids=["manage.py", "smartauth"])
def test_garbage_is_collected_again_once_a_command_runs_but_not_in_what_was_loaded(
    tmp_path: Path, program: list[str]
) -> None:
    asked = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    environment = {**os.environ, "SMARTAUTH_DATA_DIR": str(tmp_path)}
    command = [sys.executable, *program, "shell", "--no-imports", "--command", asked]

    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("True True\n", "")
