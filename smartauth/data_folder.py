"""The data folder: nobody but the account that runs the server reads it, nor the files in it."""

import os
import stat
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def is_open_to_others(folder: Path) -> bool:
    """Whether another account of this machine may enter it; a folder that is not there yet is open to nobody."""
    try:
        return os.name == "posix" and bool(folder.stat().st_mode & OTHERS)
    except OSError:
        return False


def make_folder(folder: Path) -> Path:
    """The folder, made for its owner alone if it is missing. Raises SystemExit where that is not allowed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"smartauth: SMARTAUTH_DATA_DIR: {folder} cannot be made ({error.strerror}).") from None
    return folder


def private_file(path: Path) -> str:
    """The path of a file that only its owner reads, made empty if it is missing: SQLite gives its journals the same."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for file in (path, *path.parent.glob(f"{path.name}-*")):
        if stat.S_IMODE(file.stat().st_mode) & OTHERS:
            file.chmod(0o600)
    return str(path)
