"""Endless input: what the server keeps of it, how soon it says no, and whether others are served meanwhile."""

import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.running import Server
from tests.waiting import wait_until

pytestmark = [pytest.mark.fuzz, pytest.mark.requirement("SD-20")]
MIB = 1 << 20
HEAD = b"POST /o/introspect HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
FLOODS = {  # what comes first, what is repeated, how much of it
    "header lines": (HEAD, b"a:b\r\n", 8 * MIB),
    "one header line": (HEAD + b"X: ", b"x" * 64, 64 * MIB),
    "one target": (b"GET /", b"x" * 64, 64 * MIB),
    "trailer lines": (CHUNKS + b"0\r\n", b"a:b\r\n", 8 * MIB),
    "one trailer": (CHUNKS + b"0\r\nX: ", b"x" * 64, 64 * MIB),
    "one chunk extension": (CHUNKS + b"3;", b"x" * 64, 64 * MIB),
    "empty lines": (b"", b"\r\n", 64 * MIB),
    "pipelined requests": (b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 2 * MIB),
    "pipelined upgrades": (
        b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 2 * MIB
    ),
}  # fmt: skip


def resident(server: Server, what: str) -> float:
    """MiB of the server's process: VmRSS now, VmHWM at most since `forget_peak`."""
    assert server.running is not None
    status = Path(f"/proc/{server.running.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) / 1024


def forget_peak(server: Server) -> None:
    assert server.running is not None
    Path(f"/proc/{server.running.pid}/clear_refs").write_text("5", encoding="utf-8")


def connected(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def flood(server: Server, first: bytes, repeated: bytes, length: int) -> tuple[int, bool]:
    """Sends so much, or until the server hangs up: the status of its first answer, and whether it ended it."""
    piece, heard = repeated * (65_536 // len(repeated)), _Ear()
    with connected(server) as wire:
        ear = threading.Thread(target=heard.listen, args=(wire,), daemon=True)
        ear.start()
        try:
            wire.sendall(first)
            for _ in range(length // len(piece)):
                wire.sendall(piece)
        except OSError:
            pass
        ear.join(20)
        return int(heard.said[9:12] or 0), not ear.is_alive()


class _Ear:
    """Reads what the server says, so that no answer stands in the way; keeps the beginning."""

    said = b""

    def listen(self, wire: socket.socket) -> None:
        try:
            while more := wire.recv(65_536):
                self.said = (self.said + more)[:1000]
        except OSError:
            pass


@pytest.mark.parametrize("name", FLOODS)
def test_an_endless_request_is_refused_and_its_memory_is_not_kept(server: Server, name: str) -> None:
    first, repeated, length = FLOODS[name]
    flood(server, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", b"x", 0)
    before = resident(server, "VmRSS")
    forget_peak(server)

    status, ended = flood(server, first, repeated, length)

    assert ended
    assert status == (200 if name.startswith("pipelined") else 431)
    assert resident(server, "VmHWM") - before < 5
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_crowd_of_silent_connections_gets_503_and_is_gone_after_ten_seconds(own_server: Server) -> None:
    own_server.stop()
    own_server.environment["SMARTAUTH_CONNECTIONS"] = "50"
    own_server.start()
    silent = [connected(own_server) for _ in range(60)]

    try:
        crowded = httpx.get(f"{own_server.url}/healthz", timeout=20)
        is_gone = wait_until(lambda: _status(own_server) == 200, within=30)  # and what a slow machine adds
    finally:
        for wire in silent:
            wire.close()

    assert (crowded.status_code, is_gone) == (503, True)


def _status(server: Server) -> int:
    try:
        return httpx.get(f"{server.url}/healthz", timeout=20).status_code
    except httpx.TransportError:
        return 0
