"""Bodies are read up to a limit, from every sender."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from oauth.http.bounded_body import BodyTooLong, ClientDisconnected, announced_length, read_body


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def read(*messages: dict[str, Any], limit: int = 4, length: bytes = b"") -> bytes:
    """What is read of these messages; asking for more than these is an error."""
    waiting = list(messages)

    async def receive() -> MutableMapping[str, Any]:
        return waiting.pop(0)

    return asyncio.run(read_body(receive, {b"content-length": length} if length else {}, limit))


def test_the_parts_of_a_body_are_one_body() -> None:
    assert read(part(b"ab", more=True), part(b"", more=True), part(b"cd")) == b"abcd"


@pytest.mark.requirement("SD-20")
def test_a_body_that_is_announced_too_long_is_not_read() -> None:
    with pytest.raises(BodyTooLong) as refused:
        read(length=b"5")

    assert (refused.value.length, refused.value.read) == (5, b"")


@pytest.mark.requirement("SD-20")
def test_a_body_that_grows_too_long_is_not_read_to_its_end() -> None:
    with pytest.raises(BodyTooLong) as refused:
        read(part(b"abc", more=True), part(b"de", more=True))

    assert (refused.value.length, refused.value.read) == (5, b"abcde")


def test_half_a_body_is_none() -> None:
    with pytest.raises(ClientDisconnected):
        read(part(b"a", more=True), {"type": "http.disconnect"})


@pytest.mark.parametrize(
    ("value", "length"), [(b"7", 7), (b"", 0), (b"-7", 0), (b"7 ", 0), (b"9" * 5000, 10**18 - 1)], ids=str
)
def test_a_length_that_is_no_number_announces_nothing(value: bytes, length: int) -> None:
    assert announced_length({b"content-length": value}) == length
