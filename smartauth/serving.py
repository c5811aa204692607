"""How the server is run, the same in development, production, tests and benchmarks: uvicorn with bounds."""

import os
import resource
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import spawn
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.config import STARTUP_FAILURE

from smartauth.data_folder import make_new_files_private
from smartauth.graceful_server import GracefulServer
from smartauth.own_tls import TlsConfig
from smartauth.server_processes import ServerProcesses

APPLICATION = "smartauth.asgi:application"
OPTIONS: Mapping[str, Any] = {
    "http": "smartauth.http_protocol:BoundedProtocol",
    "ws": "none",
    "loop": "uvloop",
    "lifespan": "on",
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_worker_healthcheck": 30,  # seconds in which one of several processes starts, and in which it stirs
}
FILES_BESIDE_CONNECTIONS = 200  # databases, logs, threads' own


def serve(host: str, port: int, *, processes: int = 1, **options: Any) -> None:
    """Serves until a signal ends it; one process answers all that came by then. `options` are uvicorn's."""
    make_new_files_private()
    _allow_open_files(settings.SMARTAUTH_CONNECTIONS + FILES_BESIDE_CONNECTIONS)
    make = TlsConfig if "ssl_certfile" in options else uvicorn.Config
    config = make(APPLICATION, host=host, port=port, workers=processes, **{**OPTIONS, **options})
    with suppress(KeyboardInterrupt):
        has_started = _serve_by_several(config) if processes > 1 else _serve_alone(config)
        if not has_started:
            sys.exit(STARTUP_FAILURE)


def _serve_alone(config: uvicorn.Config) -> bool:
    server = GracefulServer(config)
    server.run()
    return server.started


def _serve_by_several(config: uvicorn.Config) -> bool:
    stay_in_closed_folder()
    parent = ServerProcesses(config, sockets=[config.bind_socket()])
    parent.run()
    return not parent.could_not_start


def stay_in_closed_folder() -> None:
    """Processes that are spawned enter the folder of their parent by name; `runuser` stays where root was.

    Where that cannot be done they stay in it, as they begin there: a relative path in a setting means one file to all
    of them. A folder that is gone is left.
    """
    try:
        os.chdir(os.getcwd())
    except FileNotFoundError:
        os.chdir("/")
    except OSError:
        _prepare_without_folder()


def _prepare_without_folder() -> None:
    """A process that is spawned is told what it was before, but for the folder that it enters."""
    before = spawn.get_preparation_data

    def prepare(name: str) -> dict[str, Any]:
        return {what: told for what, told in before(name).items() if what != "dir"}

    spawn.get_preparation_data = prepare


def port_problem(host: str, port: int) -> str:
    """Why nobody can listen there now, or ""."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or "it cannot be bound"
    return ""


def _allow_open_files(needed: int) -> None:
    """Each connection is an open file, and the usual soft limit is 1024. The hard limit is the operator's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
