"""The data folder: nobody but the account that runs the server reads it, nor the files in it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def is_open_to_others(folder: Path) -> bool:
    """Whether another account of this machine may enter it; a folder that is not there yet is open to nobody."""
    try:
        return os.name == "posix" and bool(folder.stat().st_mode & OTHERS)
    except OSError:
        return False


@contextmanager
def exit_if_unusable() -> Iterator[None]:
    """Ends the process with one line where the data folder cannot be made, read or written."""
    try:
        yield
    except OSError as error:
        raise SystemExit(f"smartauth: SMARTAUTH_DATA_DIR: {error.filename}: {error.strerror}.") from None


@exit_if_unusable()
def make_folder(folder: Path) -> Path:
    """The folder, made for its owner alone if it is missing."""
    for each in (*reversed(folder.parents), folder):  # `parents=True` would make those above it with the usual mode
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)
    return folder


def make_new_files_private() -> None:
    """What this process makes from now on is for its owner alone; for servers and workers, which write no sources."""
    os.umask(OTHERS)


@exit_if_unusable()
def private_file(path: Path) -> str:
    """The path of a file that only its owner reads, made empty if it is missing: SQLite gives its journals the same."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for file in (path, *path.parent.glob(f"{path.name}-*")):
        with suppress(FileNotFoundError):  # SQLite deletes its journals when the last connection closes
            if stat.S_IMODE(file.stat().st_mode) & OTHERS:
                file.chmod(0o600)
    return str(path)
