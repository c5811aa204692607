"""The load generator knows when an answer is whole and right, and asks nothing twice that is good once."""

import json

import pytest

from bench.contenders import OPAQUE, SECRET, SIGNED
from bench.load import SCOPE, body_of, is_right, shares

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


def test_what_is_good_once_is_asked_once_however_unequal_the_connections_are() -> None:
    requests = [(b"%d" % number, "") for number in range(10)]
    fast, slow, _ = shares(requests, 3, once=True)
    asked = [next(slow), *fast]
    assert sorted(asked) == sorted(requests)
    assert next(slow, None) is None
    assert asked != requests, "neighbours were made together"
    assert list(shares(requests, 3, once=True)[0]) == asked, "each server is asked in the same order"


def test_what_is_good_again_begins_anew() -> None:
    requests = [(b"%d" % number, "") for number in range(4)]
    _, second = shares(requests, 2, once=False)
    assert [next(second) for _ in range(7)] == [*requests[2:], *requests, requests[0]]


@pytest.mark.parametrize(
    ("expected", "token", "right"),
    [
        (SECRET, "opaque", True),
        (SECRET, "a.signed.one", True),
        (SECRET, "", False),
        (SIGNED, "a.signed.one", True),
        (SIGNED, "opaque", False),
        (OPAQUE, "opaque", True),
        (OPAQUE, "a.signed.one", False),
    ],
)
def test_a_token_is_right_if_it_is_of_the_kind_that_the_row_compares(expected: str, token: str, right: bool) -> None:
    answer = json.dumps({"access_token": token, "scope": SCOPE}).encode()
    assert is_right(b"HTTP/1.1 200 OK", answer, expected) is right
