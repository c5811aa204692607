"""What a client or server in node needs, as its lock file says: installed once for all runs, where git ignores it."""

from pathlib import Path

from tests.build_once import build_once

_INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def install(folder: Path) -> Path:
    """A copy of the folder's files beside the `node_modules` of its lock file: run its scripts there."""
    return build_once(folder, "npm", _INSTALL, of=["package-lock.json"])
