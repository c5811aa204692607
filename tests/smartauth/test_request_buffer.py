"""What Django's threads get to see of a request: all of it or nothing, and only headers that are what they say."""

import asyncio
from typing import Any

import pytest
from django.conf import settings

from smartauth.request_buffer import RequestBuffer
from tests.conftest import App
from tests.fixture_types import Events, Grant

Message = dict[str, Any]


def passed_on(headers: list[tuple[bytes, bytes]], *messages: Message) -> list[tuple[dict[bytes, bytes], bytes]]:
    """The headers and bodies that reached the other side."""
    seen: list[tuple[dict[bytes, bytes], bytes]] = []
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    async def inner(scope: Message, receive: Any, send: Any) -> None:
        message = await receive()
        assert not message["more_body"]
        seen.append((dict(scope["headers"]), message["body"]))

    async def send(message: Any) -> None:
        raise AssertionError("nothing is answered here")

    asyncio.run(RequestBuffer(inner)({"type": "http", "headers": headers}, receive, send))
    return seen


def piece(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_pieces_arrive_as_one_with_their_length() -> None:
    chunked = [(b"transfer-encoding", b"chunked")]

    ((headers, body),) = passed_on(chunked, piece(b"a=", more=True), piece(b"b", more=True), piece(b""))

    assert (body, headers) == (b"a=b", {b"content-length": b"3"})


@pytest.mark.requirement("SD-27")
def test_half_a_request_does_not_arrive() -> None:
    assert passed_on([(b"content-length", b"9")], piece(b"a=", more=True), {"type": "http.disconnect"}) == []


@pytest.mark.requirement("SD-20")
def test_a_body_that_is_announced_too_long_is_not_even_read() -> None:
    announced = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1).encode()

    ((headers, body),) = passed_on([(b"content-length", announced)], piece(b"a"))

    assert (body, headers[b"content-length"]) == (b"", announced)


@pytest.mark.requirement("SD-20")
def test_a_body_that_grows_too_long_is_not_read_to_its_end() -> None:
    mib = piece(b"x" * 1_048_576, more=True)

    ((headers, body),) = passed_on([], mib, mib, piece(b"never asked for"))

    assert len(body) == int(headers[b"content-length"]) == 2_097_152


@pytest.mark.requirement("TV-26", "PR-05")
def test_a_name_with_an_underscore_does_not_pass_for_another() -> None:
    sent = [(b"x_forwarded_for", b"203.0.113.1"), (b"content_length", b"5"), (b"x-forwarded-for", b"198.51.100.1")]

    ((headers, _),) = passed_on(sent, piece(b""))

    assert headers == {b"x-forwarded-for": b"198.51.100.1", b"content-length": b"0"}


@pytest.mark.requirement("TV-26", "PR-05")
def test_forwarded_addresses_in_several_lines_are_one_list(
    app: App, grant: Grant, events: Events, settings: Any
) -> None:
    from oauth.models import public_reference

    settings.SMARTAUTH_TRUSTED_PROXIES = 2
    made = grant()
    lines = [("X-Forwarded-For", "192.0.2.66"), ("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-For", "10.0.0.1")]

    app.post("/o/token", data=made.exchange(), headers=lines)

    (event,) = events("issued", authorization=public_reference(made.authorization.pk))
    assert event.address == "203.0.113.5"
