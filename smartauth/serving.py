"""How the server is run, the same in development, production, tests and benchmarks: uvicorn with bounds."""

import resource
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import uvicorn
from django.conf import settings

from smartauth.data_folder import make_new_files_private
from smartauth.graceful_server import GracefulServer

APPLICATION = "smartauth.asgi:application"
OPTIONS: Mapping[str, Any] = {
    "http": "smartauth.http_protocol:BoundedProtocol",
    "ws": "none",
    "loop": "uvloop",
    "lifespan": "on",
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
}
STARTUP_FAILURE = 3  # exit status, as uvicorn has it
FILES_BESIDE_CONNECTIONS = 200  # databases, logs, threads' own


def serve(host: str, port: int, *, processes: int = 1, **options: Any) -> None:
    """Serves until a signal ends it; one process answers all that came by then. `options` are uvicorn's."""
    make_new_files_private()
    _allow_open_files(settings.SMARTAUTH_CONNECTIONS + FILES_BESIDE_CONNECTIONS)
    known: dict[str, Any] = {"host": host, "port": port, "workers": processes, **OPTIONS, **options}
    if processes > 1:
        uvicorn.run(APPLICATION, **known)
        return
    server = GracefulServer(uvicorn.Config(APPLICATION, **known))
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


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
