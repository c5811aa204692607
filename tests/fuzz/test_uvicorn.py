"""What docs/limits.md says that uvicorn answers by itself is what it answers, and what reaches us stays ours."""

from typing import Any

import pytest

from tests.fuzz.test_requests import ODD
from tests.fuzz.wire import HOST, Wire, exchange, post
from tests.running import ROOT, Server

pytestmark = pytest.mark.fuzz
BY_UVICORN = [
    "query longer than uvicorn reads", "bytes beyond ASCII in the query", "bytes beyond ASCII in the path",
    "target without slash", "HTTP/9.9", "the preface of HTTP/2", "a TLS hello", "CONNECT", "BREW",
    "NUL in a header", "odd bytes in a header's name", "space before the colon", "a header without colon", "lone LF",
    "lone CR", "a length that is no number", "a negative length", "two lengths", "length and chunks",
    "folded header", "chunks of nonsense",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_uvicorn_refuses_by_itself_what_is_documented_and_nothing_else(server: Server, odd: str) -> None:
    reply = exchange(server, ODD[odd]("/o/token"))

    assert reply.by_uvicorn == (odd in BY_UVICORN)


@pytest.mark.parametrize("odd", BY_UVICORN)
def test_its_refusal_is_a_400_in_plain_text_that_closes_the_connection(server: Server, odd: str) -> None:
    with Wire(server) as wire:
        wire.send([ODD[odd]("/healthz")])
        reply, after = wire.reply(), wire.reply()

    assert reply.status == 400
    assert b"content-type: text/plain; charset=utf-8" in reply.head
    assert reply.body == b"Invalid HTTP request received."
    assert after.status == 0


def test_every_one_of_them_stands_in_the_document() -> None:
    table = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")

    assert [odd for odd in BY_UVICORN if f"| {odd} |" not in table] == []


@pytest.mark.requirement("E131")
@pytest.mark.parametrize(("host", "status"), [(b"evil.example", 400), (b"127.0.0.1:1", 200), (b"[::1]", 200)])
def test_a_spoofed_host_changes_no_issuer(server: Server, host: bytes, status: int) -> None:
    request = b"GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: %s\r\n\r\n" % host

    reply = exchange(server, request)

    assert reply.status == status
    assert host not in reply.body
    assert (f'"issuer": "{server.url}"'.encode() in reply.body) is (status == 200)


@pytest.mark.parametrize("path", ["/", "/o/token", "/fhir/r4/metadata"])
def test_an_upgrade_is_not_followed(server: Server, path: str) -> None:
    reply = exchange(server, ODD["a websocket"](path))

    assert reply.status in (200, 405)


def test_a_name_with_an_underscore_is_no_header_of_ours(server: Server) -> None:
    form = b"a=b"
    typed: Any = post("/o/authorize", form, b"Content_Type: application/x-www-form-urlencoded\r\n")

    assert exchange(server, typed).status == 415
    assert HOST in typed
