"""An authorization server whose certificate a private authority signed: believed only where that is named."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fhir.operation_outcome import Unavailable
from fhir.token import introspection_client
from tests.publishing import authority, server_context

pytestmark = pytest.mark.one_engine


class Introspection(BaseHTTPRequestHandler):
    """Calls every token active."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"active": true}')

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""


@pytest.fixture
def private(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings lead there; no connection is left of another test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Introspection)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who does not believe it hangs up
    server.socket = server_context("127.0.0.1").wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SMARTAUTH_FHIR_INTROSPECTION_URL = f"https://127.0.0.1:{server.server_port}/o/introspect"
    monkeypatch.setattr(introspection_client, "_clients", list[httpx.Client]())
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("private")
def test_it_is_not_believed_and_the_log_says_so_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable):
        introspection_client.introspect("a.good-token", "")

    (told,) = [record.getMessage() for record in caplog.records if record.name == "smartauth.fhir"]
    assert "did not answer about a token: ConnectError [SSL: CERTIFICATE_VERIFY_FAILED]" in told
    assert "unable to get local issuer certificate" in told
    assert "\n" not in told
    assert "a.good-token" not in caplog.text


@pytest.mark.usefixtures("private")
def test_it_is_believed_where_the_file_names_its_authority(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(authority()[1].public_bytes(Encoding.PEM))
    settings.SMARTAUTH_CA_FILE = str(file)

    assert introspection_client.introspect("a.good-token", "") == {"active": True}
