"""Which development server runs on a data folder: it says so there while it runs, and commands in another shell are
then about that server, whatever port it has."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from smartauth.settings_table import VAR, default_data_folder

FILE = "running.json"
PORT, ISSUER, DATA_DIR = "SMARTAUTH_PORT", "SMARTAUTH_ISSUER", "SMARTAUTH_DATA_DIR"


@dataclass(frozen=True)
class RunningServer:
    """Where a development server answers."""

    port: int
    issuer: str


class AlreadyRuns(Exception):
    """The data folder has a server."""

    def __init__(self, server: RunningServer | None) -> None:
        super().__init__(server.issuer if server else "an address that is not known yet")


@contextmanager
def announce(folder: Path, server: RunningServer) -> Iterator[None]:
    """Says so while the block runs; the lock ends with the process, however it ends. Raises AlreadyRuns."""
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        if not _take_lock(file.fileno()):
            raise AlreadyRuns(running_server(folder))
        file.truncate()
        file.write(json.dumps(asdict(server)))
        file.flush()
        yield


def _take_lock(descriptor: int) -> bool:
    """Tried for half a second: somebody who looks who runs holds it for a moment."""
    for _ in range(10):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def running_server(folder: Path) -> RunningServer | None:
    """The server that runs on this data folder."""
    try:
        with (folder / FILE).open(encoding="utf-8") as file:
            if _is_free(file.fileno()):
                return None
            found = json.load(file)
        return RunningServer(int(found["port"]), str(found["issuer"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def follow_running_server(environment: MutableMapping[str, str]) -> None:
    """Fills in port, issuer and data folder of the server that runs here, where the environment does not choose."""
    if environment.get(ISSUER):
        return
    for folder in _folders(environment):
        server = running_server(folder)
        if server and environment.get(PORT) in {None, "", str(server.port)}:
            environment.update({PORT: str(server.port), ISSUER: server.issuer, DATA_DIR: str(folder)})
            return


def _folders(environment: MutableMapping[str, str]) -> list[Path]:
    """The data folder that is meant; without a choice that of the usual port, then those of others."""
    if chosen := environment.get(DATA_DIR):
        return [Path(chosen).absolute()]
    if port := environment.get(PORT):
        return [default_data_folder(int(port))] if port.isdecimal() else []
    return [VAR, *sorted(VAR.glob("[0-9]*"))]
