"""What a recipe or client in another language needs is built once for all runs, where git ignores it."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.running import ROOT


def build_once(folder: Path, kind: str, command: list[str], *, of: list[str]) -> Path:
    """A copy of the folder in which the command has run. It runs again when one of the files in `of` changes."""
    content = b"".join((folder / name).read_bytes() for name in of)
    place = ROOT / "var" / kind / f"{folder.name}-{hashlib.sha256(content).hexdigest()[:16]}"
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)  # the data folder too, and that is nobody else's
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        _copy(folder, place)
        _run_once(command, place)
    return place


def _copy(folder: Path, place: Path) -> None:
    for file in folder.iterdir():
        if file.is_file() and file.suffix != ".py":
            shutil.copy(file, place)


def _run_once(command: list[str], place: Path) -> None:
    """A mark is left at the end, so that what was interrupted starts again."""
    complete = place / ".installed"
    if complete.exists():
        return
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} in {place} failed:\n{done.stdout}{done.stderr}")
    complete.touch()
