"""What stands on both sides of a gateway that a test starts: a smartauth and a server that keep what they hear."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.running import free_port
from tests.strangers import Process

HOSTILE = {
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "X-Forwarded-Host": "evil.example.org",
    "Forwarded": "host=evil.example.org",
    "X-Original-URL": "/fhir/Patient/ben",
    "X-Rewrite-URL": "/fhir/Patient/ben",
    "X-Cascade": "delete",
    "X-Provenance": "{}",
    "Cookie": "session=1",
    "X-Patient": "ben",
    "X-Smartauth-Base": "https://evil.example.org",
    "X-Smartauth-Understands": "patient",
    "X-Smartauth-Authorization": "Basic eDp5",
    "X-Original-Method": "GET",
    "X-Original-URI": "/fhir/Patient/amy",
    "X-Forwarded-Method": "GET",
    "X-Forwarded-URI": "/fhir/Patient/amy",
    "If-None-Match": 'W/"1"',
    "Transfer-Encoding": "chunked",
}


@dataclass
class Recorder:
    """A server that answers everything alike and keeps what arrived."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    arrived: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    breaks: bool = False  # ends each connection without an answer

    def __post_init__(self) -> None:
        recorder = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                recorder.arrived.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                if recorder.breaks:
                    self.close_connection = True
                    return
                self.send_response(recorder.status)
                for name, value in {"Content-Length": "2", **recorder.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(b"{}")

            do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.address = f"127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def say(self, status: int, **headers: str) -> None:
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class Front:
    """A gateway between a client, smartauth and the server behind."""

    base: str
    smartauth: Recorder
    behind: Recorder

    def arrives(self, path: str, method: str = "GET", **options: Any) -> tuple[httpx.Response, Any]:
        """The answer, and what the server behind has seen: nothing, or one request."""
        self.behind.arrived.clear()
        self.smartauth.arrived.clear()
        headers = {"Authorization": "Bearer x", **options.pop("headers", {})}
        answer = httpx.request(method, f"{self.base}/{path}", headers=headers, timeout=20, **options)
        return answer, self.behind.arrived[0] if self.behind.arrived else None

    def arrives_raw(self, target: str, *headers: str) -> tuple[int, Any]:
        """The status, and what the server behind has seen, for a target that no client library would send."""
        self.behind.arrived.clear()
        self.smartauth.arrived.clear()
        host, _, port = urlsplit(self.base).netloc.partition(":")
        head = [f"GET {target} HTTP/1.1", f"Host: {host}:{port}", "Connection: close", "Authorization: Bearer x"]
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall("".join(f"{each}\r\n" for each in [*head, *headers, ""]).encode("latin-1"))
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        return int(answer.split()[1]), self.behind.arrived[0] if self.behind.arrived else None


def between_recorders(start: Callable[[str, dict[str, str], Path], Process], folder: Path) -> Iterator[Front]:
    """A gateway that `start` makes of the address behind, the recipe's environment and a folder; then it is stopped."""
    base = f"http://127.0.0.1:{free_port()}/fhir"
    with recorders() as (smartauth, behind):
        introspect = f"http://{smartauth.address}/o/introspect"
        environment = {"FHIR_BASE": base, "INTROSPECT": introspect, "CLIENT_ID": "it", "CLIENT_SECRET": "secret"}
        process = start(behind.address, environment, folder)
        yield Front(base, smartauth, behind)
        process.stop()


@contextmanager
def recorders() -> Iterator[tuple[Recorder, Recorder]]:
    """One for smartauth and one for the server behind, for as long as the gateway runs."""
    both = Recorder(), Recorder()
    yield both
    for each in both:
        each.http.shutdown()
