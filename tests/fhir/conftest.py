"""An introspection endpoint that the tests direct, small records of two patients, and a caller with a token."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from fhir.audit.export import cut
from fhir.audit.models import WaitingEvent
from fhir.audit.strangers import Strangers
from fhir.http import views
from fhir.models import Record
from fhir.store.loading import load_file
from tests.fixture_types import Fetch, Search

BASE = "http://127.0.0.1:8000/fhir/r4"
METADATA = 'resource_metadata="http://127.0.0.1:8000/.well-known/oauth-protected-resource/fhir/r4"'
ROOT = "/fhir/r4"


@dataclass
class Introspection:
    """What the authorization server will answer, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    asked: list[dict[str, str]] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    accepts: list[tuple[str, str]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    answers: threading.Event = field(default_factory=threading.Event)  # a test clears it, and sets it at its end

    def __post_init__(self) -> None:
        self.answers.set()

    def says(self, **claims: Any) -> None:
        self.body = json.dumps(claims).encode()

    def knows(self, scope: str | None, **claims: Any) -> None:
        """A live token of this base with that scope; a claim given as None is left out."""
        known = {"active": True, "aud": BASE, "exp": int(time.time()) + 300, "token_type": "Bearer", "scope": scope}
        told = {"sub": "u-1", "client_id": "demo-public", **known, **claims}
        self.says(**{name: value for name, value in told.items() if value is not None})


class StandIn(ThreadingHTTPServer):
    """A real HTTP server on loopback, one for all tests; `state` is what the present test directs."""

    daemon_threads = True
    state = Introspection()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: StandIn

    def do_POST(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer(self.server.state)

    def _answer(self, state: Introspection) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        state.asked.append({name: values[0] for name, values in form.items()})
        state.credentials.append(self.headers.get("Authorization", ""))
        state.accepts.append((self.headers.get("Accept", ""), self.headers.get("Accept-Encoding", "")))
        state.connections.add(self.client_address)
        state.answers.wait(60)
        self.send_response(state.status)
        for name, value in {"Content-Length": str(len(state.body)), **state.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(state.body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    server = StandIn(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def introspection(stand_in: StandIn, settings: Settings) -> Introspection:
    stand_in.state = Introspection(url=f"http://127.0.0.1:{stand_in.server_address[1]}/o/introspect")
    settings.SMARTAUTH_FHIR_INTROSPECTION_URL = stand_in.state.url
    return stand_in.state


@pytest.fixture(autouse=True)
def fhir_settings(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.fhir.urls"
    settings.ALLOWED_HOSTS = ["*"]
    settings.SMARTAUTH_FHIR_BASES = {"r4": BASE}
    settings.SMARTAUTH_FHIR_CLIENT_ID = "demo-resource-server"
    settings.SMARTAUTH_FHIR_CLIENT_SECRET = "demo-resource-server-secret"
    settings.SMARTAUTH_FHIR_INTROSPECTION_TIMEOUT = 3.0
    settings.SMARTAUTH_FHIR_REPORT_URL = ""
    settings.SMARTAUTH_TRUSTED_PROXIES = 0


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Strangers:
    """Refusals of strangers, written where a test says so and by no thread."""
    fresh = Strangers()
    monkeypatch.setattr(fresh, "_thread", threading.current_thread())
    monkeypatch.setattr(views, "strangers", fresh)
    return fresh


@pytest.fixture
def records(db: None) -> None:
    """Two patients, A = amy and B = ben, as in the fixture of the checklist for FHIR servers."""
    Record.objects.all().delete()
    load_file(Path(__file__).parent / "records" / "r4.json")


@pytest.fixture
def nothing_waits(db: None) -> None:
    """Of what others did at this server, no event waits to be shipped."""
    WaitingEvent.objects.all().delete()


@pytest.fixture
def empty_trail(nothing_waits: None) -> None:
    """Of what others did there is no event, neither waiting nor shipped; for a test of both databases."""
    cut(datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def ids(self) -> list[str]:
        return [entry["resource"]["id"] for entry in self.body.get("entry", [])]

    @property
    def alike(self) -> tuple[int, dict[str, str], str]:
        """All that a caller could tell two answers apart by, the reason that development tells among it."""
        told = {name: value for name, value in self.headers.items() if name != "X-Request-Id"}
        return self.status, told, self.text


@pytest.fixture(scope="session")
def browserless() -> Client:
    """One client for all tests, so that the middleware is loaded once; nothing here sets a cookie."""
    return Client(raise_request_exception=False)


@pytest.fixture
def fetch(browserless: Client) -> Fetch:
    """A request under the base, by default with some bearer token."""

    def call(path: str, *, method: str = "GET", token: str | None = "a.good-token", **extra: Any) -> Answered:
        if token is not None:
            extra.setdefault("HTTP_AUTHORIZATION", f"Bearer {token}")
        response = browserless.generic(method, f"{ROOT}/{path}", **extra)
        text = b"".join(response).decode() if response.streaming else response.content.decode()
        return Answered(response.status_code, response.headers, text)

    return call


@pytest.fixture
def search(fetch: Fetch) -> Search:
    """The same search by GET and by POST; the test sees one answer because there must be only one (SR-01)."""

    def call(type_: str, query: str = "", **extra: Any) -> Answered:
        form = "application/x-www-form-urlencoded"
        got = fetch(f"{type_}?{query}", **extra)
        posted = fetch(f"{type_}/_search", method="POST", data=query.encode(), content_type=form, **extra)
        assert got.alike == posted.alike
        return got

    return call
