"""The load generator knows when an answer is whole: by its length, or by its chunks, as HAPI's server sends them."""

import pytest

from bench.load import body_of

pytestmark = pytest.mark.one_engine
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 4"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("head", "received", "body"),
    [
        (LENGTH, b"tru", None),
        (LENGTH, b"true", b"true"),
        (CHUNKS, b"", None),
        (CHUNKS, b"2\r\ntr", None),
        (CHUNKS, b"2\r\ntr\r\n2\r\nue\r\n0\r\n", None),
        (CHUNKS, b"2\r\ntr\r\nB\r\nue or false\r\n0\r\n\r\n", b"true or false"),
    ],
)
def test_an_answer_is_whole_when_its_length_or_its_last_chunk_is_there(
    head: bytes, received: bytes, body: bytes | None
) -> None:
    assert body_of(head, received) == body
