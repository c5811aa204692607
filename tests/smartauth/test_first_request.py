"""What the machines' first requests of a process wait for: not for modules that are still to be imported."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.flows.app import RESOURCE_SERVER
from tests.running import ROOT, Server

# the application as uvicorn serves it: after its start it answers, and what was imported for each answer is told
SERVED = """
import asyncio, json, sys
from base64 import b64encode
from smartauth.asgi import application

SECRET = b"Basic " + b64encode(":".join({resource_server!r}).encode())

async def ask(path, form):
    said = []
    asked = iter([{{"type": "http.request", "body": form, "more_body": False}}])
    async def receive(): return next(asked)
    async def send(message): said.append(message)
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"authorization", SECRET)]
    scope = {{"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), *headers], "client": ("127.0.0.1", 1), "scheme": "http",
        "server": ("127.0.0.1", 80), "http_version": "1.1"}}
    await application(scope, receive, send)
    return said[0]["status"]

async def main():
    started, waiting = [], iter([{{"type": "lifespan.startup"}}])
    async def receive(): return next(waiting)
    async def send(message):
        started.append(message["type"])
        raise EOFError
    try: await application({{"type": "lifespan"}}, receive, send)
    except EOFError: pass
    assert started == ["lifespan.startup.complete"], started
    told = {{}}
    for path in ("/o/introspect", "/o/token", "/o/revoke"):
        before = set(sys.modules)
        status = await ask(path, b"token=x&grant_type=client_credentials")
        told[path] = [status, sorted(set(sys.modules) - before)]
    print(json.dumps(told))

asyncio.run(main())
"""


@pytest.fixture
def prepared() -> Iterator[Server]:
    server = Server()
    try:
        server.prepare()
        yield server
    finally:
        server.remove()


def test_the_first_requests_of_machines_import_nothing(prepared: Server) -> None:
    """All that they need, and the pages with Django's admin, was loaded before the process answered anybody."""
    script = SERVED.format(resource_server=RESOURCE_SERVER)
    done = subprocess.run(
        [sys.executable, "-c", script], env=prepared.environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "/o/introspect": [200, []],
        "/o/revoke": [200, []],
        "/o/token": [400, []],
    }
