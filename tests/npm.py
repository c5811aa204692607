"""What a client or server in node needs, as its lock file says: installed once for all runs, where git ignores it."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.running import ROOT

CACHE = ROOT / "var" / "npm"
_INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def install(folder: Path) -> Path:
    """A copy of the folder's files beside the `node_modules` of its lock file: run its scripts there."""
    lock = (folder / "package-lock.json").read_bytes()
    place = CACHE / f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        _copied(folder, place)
        _once(place)
    return place


def _copied(folder: Path, place: Path) -> None:
    for file in folder.iterdir():
        if file.is_file() and file.suffix != ".py":
            shutil.copy(file, place)


def _once(place: Path) -> None:
    """A mark is left at the end, so that what was interrupted starts again."""
    complete = place / ".installed"
    if complete.exists():
        return
    done = subprocess.run(_INSTALL, cwd=place, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise AssertionError(f"npm ci in {place} failed:\n{done.stdout}{done.stderr}")
    complete.touch()
