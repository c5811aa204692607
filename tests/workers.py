"""Several workers side by side (`-n 2`, pytest-xdist): each has a data folder, databases and a Redis of its own."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

_DATA, _REDIS = "SMARTAUTH_DATA_DIR", "SMARTAUTH_REDIS_URL"


def own_environment(worker: str) -> dict[str, str]:
    """What a worker finds in place of the run's own; pytest-django names its test databases after it too."""
    folder = Path(os.environ.get(_DATA) or "var") / worker
    own = {_DATA: str(folder)}
    if url := os.environ.get(_REDIS):
        own[_REDIS] = urlunsplit(urlsplit(url)._replace(path=f"/{1 + int(worker.removeprefix('gw'))}"))
    return own


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Before a worker reads any setting."""
    worker = own_environment(node.gateway.id)
    Path(worker[_DATA]).mkdir(mode=0o700, parents=True, exist_ok=True)
    node.gateway.remote_exec("import os; os.environ.update(channel.receive())").send(worker)
