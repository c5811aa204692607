"""Arguments of `manage.py` that are not UTF-8: a sentence that names them, never a traceback."""

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
