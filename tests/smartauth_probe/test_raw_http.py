"""What is sent arrives byte by byte, and what comes back is read as HTTP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from smartauth_probe.raw_http import NoAnswer, send
from smartauth_probe.requests import Presentation, presentation

pytestmark = pytest.mark.one_engine
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
TOKEN = "header.payload.signature"


class Listener:
    """Takes one connection, keeps what came until the head or the form ended, and says what it was told to say."""

    def __init__(self, says: bytes) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.socket.getsockname()[1]}/fhir"
        self.arrived = b""
        self._says = says
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while b"\r\n\r\n" not in self.arrived:
                self.arrived += connection.recv(65_536)
            self._speak(connection)

    def _speak(self, connection: socket.socket) -> None:
        connection.sendall(self._says)

    def stop(self) -> None:
        self._thread.join(10)
        self.socket.close()


class SlowListener(Listener):
    """Says it byte after byte, until nobody listens any more."""

    def _speak(self, connection: socket.socket) -> None:
        with suppress(ConnectionError):
            for byte in self._says:
                connection.sendall(bytes([byte]))
                threading.Event().wait(0.05)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS)
    yield made
    made.stop()


@pytest.mark.parametrize("kind", ["bytes", "bytes-folded", "bytes-invalid-utf8", "two-headers"])
def test_bytes_that_no_client_would_send_arrive(listener: Listener, kind: str) -> None:
    request = presentation(kind, TOKEN, "amy")

    response = send(listener.base, request)

    assert (response.status_code, response.headers["www-authenticate"], response.text) == (401, "Bearer", "{}")
    for name, value in request.headers:
        assert f"\r\n{name}: {value}\r\n".encode("latin-1") in listener.arrived


def test_a_query_and_a_form_arrive(listener: Listener) -> None:
    send(listener.base, Presentation("Patient/_search", "POST", query="a=b", body="access_token=x"))

    assert listener.arrived.startswith(b"POST /fhir/Patient/_search?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert listener.arrived.endswith(b"Content-Length: 14\r\n\r\naccess_token=x")


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-OpenSSH\r\n"], ids=["nothing", "another protocol"])
def test_what_is_no_answer_is_said_with_the_address(says: bytes) -> None:
    listener = Listener(says)

    with pytest.raises(NoAnswer, match=f"{listener.base} did not answer"):
        send(listener.base, presentation("expired", TOKEN, "amy"))

    listener.stop()


def test_who_keeps_talking_slowly_holds_nobody_longer_than_was_said() -> None:
    listener = SlowListener(b"HTTP/1.1 401 No\r\nX-Long: " + b"x" * 100 + b"\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(NoAnswer, match=f"{listener.base} did not answer within 0.5 seconds"):
        send(listener.base, presentation("expired", TOKEN, "amy"), seconds=0.5)

    listener.stop()


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        base = f"http://127.0.0.1:{gone.getsockname()[1]}/fhir"

    with pytest.raises(NoAnswer, match=f"{base} did not answer: ConnectionRefusedError"):
        send(base, presentation("expired", TOKEN, "amy"))


def test_an_id_that_a_server_told_begins_no_request_of_its_own(listener: Listener) -> None:
    told = "a HTTP/1.1\r\nHost: other\r\n\r\nGET /\u00fc\ud800"

    send(listener.base, Presentation(f"Patient/{told}", query="x=a b"))

    line, *headers = listener.arrived.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert line == (b"GET /fhir/Patient/a%20HTTP/1.1%0D%0AHost:%20other%0D%0A%0D%0AGET%20/%C3%BC%3F?x=a%20b HTTP/1.1")
    assert [header for header in headers if header.startswith(b"Host")] == [f"Host: {listener.base[7:-5]}".encode()]


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_a_version_that_a_server_told_begins_no_header(listener: Listener, ends: str) -> None:
    send(listener.base, Presentation("Patient", headers=(("If-Match", f"1{ends}Host: other"),)))

    assert b"If-Match: 1Host: other\r\n" in listener.arrived
