"""What a client or server in node needs, as its lock file says: installed once for all runs, where git ignores it.

`python -m tests.npm` installs all of it beforehand.
"""

import os
import secrets
from pathlib import Path

from tests.build_once import build_once
from tests.running import ROOT

PACKAGE = ROOT / "clients" / "javascript"
_INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
_PACK = "npm pack --silent && mkdir -p node_modules && tar -xzf *.tgz && mv package node_modules/smartauth-enforcement"


def install(folder: Path) -> Path:
    """A copy of the folder's files beside the `node_modules` of its lock file: run its scripts there."""
    return build_once(folder, "npm", _INSTALL, of=["package-lock.json"])


def packed() -> Path:
    """A folder in whose `node_modules` lies our own package, as its tarball holds it."""
    files = sorted(file.name for file in PACKAGE.iterdir() if file.is_file())
    return build_once(PACKAGE, "npm", ["sh", "-ec", _PACK], of=files)


def install_with_package(folder: Path) -> Path:
    """The same as `install`, and our own package beside what the lock file says."""
    place, package = install(folder), packed() / "node_modules" / "smartauth-enforcement"
    link = place / f".{secrets.token_hex(4)}"
    link.symlink_to(package)
    os.replace(link, place / "node_modules" / package.name)  # others may do the same at this moment
    return place


def _folders() -> list[Path]:
    """Of the tests and the recipes, those with a lock file."""
    locks = [lock for top in ("tests", "docs") for lock in (ROOT / top).rglob("package-lock.json")]
    return sorted(lock.parent for lock in locks if "node_modules" not in lock.parts)


if __name__ == "__main__":
    for each in _folders():
        install(each)
    packed()
