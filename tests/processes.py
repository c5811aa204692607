"""What the system says of a process, which may end while it is asked."""

from pathlib import Path


def is_running(process: int) -> bool:
    """Whether it is there and more than a zombie."""
    state = _told(process, "stat").rpartition(b")")[2].split()[:1]
    return state not in ([], [b"Z"])


def command_of(process: int) -> bytes:
    """What it was started as; nothing if it has ended by now."""
    return _told(process, "cmdline")


def _told(process: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{process}/{file}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
