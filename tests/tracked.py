"""Which files of a checkout are ours: no keys, data or settings of somebody who works in it."""

import shutil
import subprocess
from pathlib import Path

from tests.running import ROOT


def tracked_files(root: Path = ROOT, *, also_new: bool = False) -> list[str]:
    """The names of those that git tracks and that are there; with new ones that it does not ignore, if asked."""
    new = ["--others", "--exclude-standard"] if also_new else []
    command = ["git", "ls-files", "-z", "--cached", *new]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split("\0") if name and (root / name).is_file()]


def clone(copy: Path, root: Path = ROOT) -> None:
    """Copies the tracked files as they are now, with their modes."""
    for name in tracked_files(root):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, copy / name, follow_symlinks=False)
