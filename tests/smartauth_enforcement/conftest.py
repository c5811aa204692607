"""The middleware between an app, a FHIR server that says whatever a test wants, and a smartauth that does so too."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import httpx
import pytest

from smartauth_enforcement import AsgiMiddleware, Enforcement, WsgiMiddleware

BASE = "http://fhir.example.org/fhir"
ONE, MANY, DOCUMENT = "/access/v1/evaluation", "/access/v1/evaluations", "/o/smart-configuration"
HIDE = {"http": {"status": 404, "headers": {}}, "outcome": {"resourceType": "OperationOutcome", "id": "hidden"}}
YES: dict[str, Any] = {"decision": True, "context": {"claims": {"sub": "amy"}}}
AMY: dict[str, Any] = {"who": {"compartments": ["Patient/amy"]}, "where": []}


def view(*alternatives: Any, kind: str = "Observation", **more: Any) -> dict[str, Any]:
    """A yes for the records of a type that one of them has."""
    elements = {kind: ["id", "resourceType", "subject"]}
    known = {"claims": {}, "view": {kind: list(alternatives)}, "sets": {}, "elements": elements, "hide": HIDE}
    return {"decision": True, "context": {**known, **more}}


@dataclass
class Said:
    """An answer as it stands; `rest`: the seconds between its bytes."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    rest: float = 0


class Smartauth:
    """Says `says` of each path: JSON, or an answer as it stands. About resources: those of amy may be shown."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {ONE: YES, DOCUMENT: {"issuer": "https://auth.example.org"}}
        self.asked: list[tuple[str, Any]] = []
        self.connections = 0
        self.breaks = 0
        smartauth = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                smartauth.connections += 1

            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(question)

            def do_GET(self) -> None:
                self.reply(None)

            def reply(self, question: Any) -> None:
                path = self.path.partition("?")[0]
                smartauth.asked.append((path, question))
                if smartauth.breaks:
                    smartauth.breaks -= 1
                    self.close_connection = True
                    return
                said = smartauth.answer(path, question)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(said.body)), **said.headers}
                self.send_response(said.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):
                    for part in [said.body[:1], said.body[1:]] if said.rest else [said.body]:
                        self.wfile.write(part)
                        time.sleep(said.rest)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=[0.01], daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, path: str, question: Any) -> Said:
        if path == MANY and MANY not in self.says:
            asked = [each["resource"]["properties"]["content"] for each in question["evaluations"]]
            of_amy = [each.get("subject") == {"reference": "Patient/amy"} or each.get("id") == "amy" for each in asked]
            said: Any = {"evaluations": [{"decision": each} for each in of_amy]}
        else:
            said = self.says[path]
        return said if isinstance(said, Said) else Said(body=json.dumps(said).encode())


class FhirServer:
    """Says `says`, and keeps what it was asked: as an ASGI and as a WSGI application."""

    def __init__(self) -> None:
        self.says: Any = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/amy"}}
        self.status, self.headers = 200, {"Content-Type": "application/fhir+json"}
        self.asked: list[tuple[str, str]] = []
        self.got_headers: dict[str, str] = {}
        self.got_body = b""
        self.decision: Any = None

    @property
    def body(self) -> bytes:
        return self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        path, query = scope["path"], scope["query_string"].decode()
        self.asked.append((scope["method"], f"{path}?{query}" if query else path))
        self.got_headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.got_body, self.decision = (await receive())["body"], scope["smartauth"]
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path, query = environ["SCRIPT_NAME"] + environ["PATH_INFO"], environ["QUERY_STRING"]
        self.asked.append((environ["REQUEST_METHOD"], f"{path}?{query}" if query else path))
        named = {name.removeprefix("HTTP_").replace("_", "-").lower(): value for name, value in environ.items()}
        self.got_headers = {name: value for name, value in named.items() if isinstance(value, str)}
        self.got_body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.decision = environ["smartauth"]
        start_response(f"{self.status} X", list(self.headers.items()))
        return [self.body]


@pytest.fixture
def smartauth() -> Iterator[Smartauth]:
    made = Smartauth()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def fhir() -> FhirServer:
    return FhirServer()


Send = Callable[..., httpx.Response]
Protect = Callable[..., Send]


@pytest.fixture(params=["asgi", "wsgi"])
def protect(request: pytest.FixtureRequest, smartauth: Smartauth, fhir: FhirServer) -> Iterator[Protect]:
    """The server behind the middleware with such options, and how an app asks it with a token."""
    with asyncio.Runner() as runner:

        def protected(**options: Any) -> Send:
            known = {"base": BASE, "smartauth": smartauth.url, "client_id": "rs", "client_secret": "secret"}
            enforcement = Enforcement(**{**known, "seconds": 60, **options})
            asgi, wsgi = AsgiMiddleware(fhir.asgi, enforcement), WsgiMiddleware(fhir.wsgi, enforcement)

            def send(method: str, path: str, token: str | None = "t", **more: Any) -> httpx.Response:
                shown = {"Authorization": f"Bearer {token}"} if token else {}
                url = path if path.startswith("http") else f"{BASE}/{path}"
                more["headers"] = [*shown.items(), *dict(more.pop("headers", {})).items()]
                if request.param == "wsgi":
                    with httpx.Client(transport=httpx.WSGITransport(cast(Any, wsgi))) as client:
                        return client.request(method, url, **more)

                async def asked() -> httpx.Response:
                    async with httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, asgi))) as client:
                        return await client.request(method, url, **more)

                return runner.run(asked())

            return send

        yield protected


@pytest.fixture
def send(protect: Protect) -> Send:
    """With the options as they are."""
    return protect()
