"""Handshakes: they are counted, they end, and what begins before the end of the server is answered."""

import asyncio
import logging
import os
import resource
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from smartauth import tls_protocol
from smartauth.http_protocol import BoundedProtocol
from smartauth.own_tls import TlsConfig
from smartauth.tls_protocol import TlsProtocol
from tests.publishing import certificate_files, trusting_context

pytestmark = pytest.mark.one_engine
HOST = "127.0.0.1"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


class _State:
    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self.tasks: set[Any] = set()
        self.default_headers: list[Any] = []
        self.total_requests = 0


class Listening:
    """TLS on a port of this event loop. The connections that are open, handshakes among them."""

    def __init__(self, folder: Path) -> None:
        chain, key = (str(file) for file in certificate_files(folder, HOST))
        self.config = TlsConfig(
            app, ssl_certfile=chain, ssl_keyfile=key, http="auto", lifespan="off", log_level="error"
        )
        self.config.load()
        self.state = _State()

    async def __aenter__(self) -> "Listening":
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: TlsProtocol(self.config, self.state, {}), HOST, 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def silent(self) -> socket.socket:
        """Somebody who connects and says nothing."""
        made = socket.create_connection((HOST, self.port))
        made.setblocking(False)
        await self.until(lambda: True)
        return made

    async def until(self, holds: Any) -> None:
        for _ in range(3000):
            await asyncio.sleep(0.01)
            if holds():
                return
        raise AssertionError("it did not come true")

    async def asks(self) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, self.port, ssl=trusting_context())
        writer.write(REQUEST)
        answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
def listening(tmp_path: Path) -> Listening:
    return Listening(tmp_path)


@pytest.mark.requirement("SD-20")
def test_a_handshake_that_does_not_come_ends(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsProtocol, "HANDSHAKE_SECONDS", 0.2)

    async def scene() -> bytes:
        async with listening:
            quiet = await listening.silent()
            await listening.until(lambda: len(listening.state.connections) == 1)
            await listening.until(lambda: not listening.state.connections)
            return await asyncio.get_running_loop().sock_recv(quiet, 1)

    assert uvloop.run(scene()) == b""  # closed


@pytest.mark.requirement("SD-20")
def test_handshakes_count_as_connections(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(BoundedProtocol, "connection_limit", 2)
    monkeypatch.setattr(tls_protocol._SecuredProtocol, "last_warning", -100.0)
    warnings = logging.getLogger("uvicorn.error")
    monkeypatch.setattr(warnings, "handlers", [caplog.handler])
    monkeypatch.setattr(warnings, "level", logging.WARNING)

    async def scene() -> tuple[bytes, bytes, bytes]:
        async with listening:
            first, second = await listening.silent(), await listening.silent()
            await listening.until(lambda: len(listening.state.connections) == 2)
            third = await listening.silent()
            refused = await asyncio.get_running_loop().sock_recv(third, 1)
            first.close()
            await listening.until(lambda: len(listening.state.connections) == 1)
            one, _ = await asyncio.gather(listening.asks(), asyncio.sleep(0))
            second.close()
            return refused, one, await listening.asks()

    refused, beside_one, alone = uvloop.run(scene())

    assert refused == b""
    assert "2 connections are open (SMARTAUTH_CONNECTIONS): new ones are refused" in caplog.messages
    assert beside_one.startswith(b"HTTP/1.1 200 ")
    assert alone.partition(b"\r\n\r\n")[2].startswith(b"5\r\nhttps\r\n")


@pytest.mark.requirement("SD-20")
def test_a_connection_for_which_no_file_is_left_ends_and_takes_no_place(listening: Listening) -> None:
    async def scene() -> tuple[bytes, int, bytes]:
        async with listening:
            quiet = socket.socket()
            quiet.setblocking(False)
            free = os.dup(quiet.fileno())  # the next one that the process opens
            os.close(free)
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, limits[1]))  # one more, and none beside it
            try:
                with suppress(BlockingIOError):
                    quiet.connect((HOST, listening.port))
                ended = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(quiet, 1), 10)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                quiet.close()
            return ended, len(listening.state.connections), await listening.asks()

    ended, counted, answer = uvloop.run(scene())

    assert (ended, counted) == (b"", 0)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_who_shakes_hands_when_the_server_stops_is_answered(listening: Listening) -> None:
    async def scene() -> bytes:
        async with listening:
            quiet = await listening.silent()
            await listening.until(lambda: len(listening.state.connections) == 1)
            for each in list(listening.state.connections):
                each.shutdown()
            reader, writer = await asyncio.open_connection(sock=quiet, ssl=trusting_context(), server_hostname=HOST)
            writer.write(REQUEST.replace(b"Connection: close\r\n", b""))
            answer = await reader.read()  # until it closes: the server keeps nothing open
            writer.close()
            return answer

    answer = uvloop.run(scene())

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"5\r\nhttps\r\n")


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x00" * 4000])
def test_what_is_no_handshake_ends_alone(listening: Listening, said: bytes) -> None:
    async def scene() -> bytes:
        async with listening:
            reader, writer = await asyncio.open_connection(HOST, listening.port)
            writer.write(said)
            heard = await reader.read()
            writer.close()
            assert not listening.state.connections
            assert heard == b"" or heard.startswith(b"\x15")  # an alert
            return await listening.asks()

    assert uvloop.run(scene()).startswith(b"HTTP/1.1 200 ")


def test_the_context_is_no_older_than_tls_1_2(listening: Listening) -> None:
    context = listening.config.certificate.context()

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert listening.config.ssl is None
