"""The recipe for nginx: what of a client's request arrives at the server behind, which believes everything."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.oracle import Oracle
from tests.running import free_port
from tests.strangers import nginx_before

pytestmark = pytest.mark.clients

PATHS = ("Patient/amy", "Patient?_id=amy")
HOSTILE = {
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "X-Forwarded-Host": "evil.example.org",
    "Forwarded": "host=evil.example.org",
    "X-Original-URL": "/fhir/Patient/ben",
    "Cookie": "session=1",
    "X-Patient": "ben",
    "If-None-Match": 'W/"1"',
    "Transfer-Encoding": "chunked",
}


@dataclass
class Behind:
    """A server that answers everything with 200 and keeps what arrived."""

    arrived: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        behind = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                behind.arrived.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(b"{}")

            do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@dataclass
class Front:
    base: str
    behind: Behind

    def arrives(self, path: str, method: str = "GET", **options: Any) -> tuple[httpx.Response, Any]:
        """The answer, and what the server behind has seen: nothing, or one request."""
        self.behind.arrived.clear()
        headers = {"Authorization": "Bearer x", **options.pop("headers", {})}
        answer = httpx.request(method, f"{self.base}/{path}", headers=headers, timeout=20, **options)
        return answer, self.behind.arrived[0] if self.behind.arrived else None


@pytest.fixture(scope="module")
def front(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    base, behind = f"http://127.0.0.1:{free_port()}/fhir", Behind()
    environment = {"FHIR_BASE": base, "INTROSPECT": oracle.url, "CLIENT_ID": "it", "CLIENT_SECRET": "secret"}
    folder = tmp_path_factory.mktemp("nginx")
    process = nginx_before(f"127.0.0.1:{behind.http.server_port}", environment, folder)
    oracle.say_claims({"active": True, "aud": base, "scope": "patient/*.cruds", "patient": "amy"})
    yield Front(base, behind)
    process.stop()
    behind.http.shutdown()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_server_behind_gets_the_address_the_host_and_accept_alone(front: Front, path: str, method: str) -> None:
    headers = {**HOSTILE, "Host": "evil.example.org", "Accept": "application/fhir+json"}

    answer, seen = front.arrives(path, method, headers=headers, content=iter([b'{"resourceType":"Patient"}']))

    host = front.base.removeprefix("http://").removesuffix("/fhir")
    assert answer.status_code == 200
    assert seen == (method, f"/fhir/{path}", {"host": host, "connection": "close", "accept": "application/fhir+json"})


def test_a_host_in_the_request_line_does_not_arrive_either(front: Front) -> None:
    host, _, port = front.base.removeprefix("http://").removesuffix("/fhir").partition(":")
    front.behind.arrived.clear()

    with socket.create_connection((host, int(port)), timeout=20) as line:
        head = (
            "GET http://evil.example.org/fhir/Patient/amy HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n"
        )
        line.sendall(f"{head}Authorization: Bearer x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert front.behind.arrived[0][1:] == ("/fhir/Patient/amy", {"host": f"{host}:{port}", "connection": "close"})


@pytest.mark.parametrize(
    "path",
    ["Patient?_id=amy&_has:Observation:patient:code=x&_include=*", "Patient?_summary=count", "Patient?_id=amy&_id=ben"],
)
def test_a_search_arrives_as_the_search_for_the_patient(front: Front, path: str) -> None:
    answer, seen = front.arrives(path)

    assert answer.status_code == 200
    assert seen[:2] == ("GET", "/fhir/Patient?_id=amy")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_a_read_arrives(front: Front, path: str, method: str) -> None:
    answer, seen = front.arrives(path, method, content=json.dumps({"resourceType": "Patient"}))

    assert (answer.status_code, seen) == (403, None)


ELSEWHERE = ["Observation?patient=amy", "Patient/_search", "Patient/amy/$everything", "Patient/amy/", "metadata/", ""]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_what_the_recipe_does_not_name_does_not_arrive(front: Front, path: str) -> None:
    answer, seen = front.arrives(path)

    assert (answer.status_code, seen) == (404, None)


def test_the_capability_statement_is_public_and_asked_for_without_anything_of_the_client(front: Front) -> None:
    answer, seen = front.arrives("metadata?x=1", headers={"Authorization": "Basic x"}, content=b"x")

    assert answer.status_code == 200
    assert seen[:2] == ("GET", "/fhir/metadata")
    assert "authorization" not in seen[2]


def test_what_follows_the_address_of_the_document_changes_nothing(front: Front) -> None:
    one, other = (front.arrives(f".well-known/smart-configuration{query}") for query in ("", "?aud=x"))

    assert (one[0].status_code, one[0].text, one[1]) == (200, other[0].text, None)
