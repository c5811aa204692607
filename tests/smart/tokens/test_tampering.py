"""What counts as evidence that somebody held a token of ours, without any key or database (SD-07)."""

import base64
import json
from typing import Any

import pytest

from smart.digests import sha256_hex
from smart.tokens.tampering import algorithm, evidence, header, jti, parts, payload, payload_text, signature_length


def b64(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


HEADER, PAYLOAD, SIGNATURE = b64({"alg": "ES256"}), b64({"jti": "the-jti", "n": 1}), b64(b"s" * 64)
KEPT = {"signed_digest": sha256_hex(f"{HEADER}.{PAYLOAD}"), "signature_digest": sha256_hex(SIGNATURE)}
SIGNED, COPIED = "another signature under our header and payload", "our signature under another header or payload"
OTHER = b64({"jti": "the-jti", "n": 2})


@pytest.mark.requirement("SD-07")
@pytest.mark.parametrize(
    ("token", "found"),
    [
        (f"{HEADER}.{PAYLOAD}.{b64(b'x')}", SIGNED),
        (f"{HEADER}.{PAYLOAD}.", SIGNED),
        (f"{HEADER}==.{PAYLOAD}=.{b64(b'x')}", SIGNED),
        (f"{HEADER}. {PAYLOAD} .{b64(b'x')}", SIGNED),
        (f"{HEADER}.{OTHER}.{SIGNATURE}", COPIED),
        (f"{HEADER}.{OTHER}.{SIGNATURE}==", COPIED),
        (f"x.{OTHER}.y.{SIGNATURE}", COPIED),
        (f"{HEADER}.{OTHER}.{b64(b'x')}", ""),
        (f"{PAYLOAD}.{HEADER}.{b64(b'x')}", ""),
        (f"{HEADER.lower()}.{PAYLOAD}.{b64(b'x')}", ""),
    ],
)
def test_parts_that_nobody_has_who_has_not_seen_the_original_are_evidence(token: str, found: str) -> None:
    assert evidence(parts(token), **KEPT) == found


@pytest.mark.parametrize(
    ("token", "named"),
    [
        (f"{HEADER}.{PAYLOAD}.{SIGNATURE}", "the-jti"),
        (f"{HEADER}.{b64({'jti': 'them'})}x.{SIGNATURE}", "them"),  # six stray bits are no byte
        (f"{PAYLOAD}.x.y", "the-jti"),
        (f"x.{HEADER}.{PAYLOAD}.{SIGNATURE}", "the-jti"),
        (f"{HEADER}.{PAYLOAD}", ""),
        ("no-jwt-at-all", ""),
        ("..", ""),
        (f"{HEADER}.{b64({'jti': 7})}.x", ""),
        (f"{HEADER}.{b64({'jti': chr(0)})}.x", ""),
        (f"{HEADER}.{b64({'jti': 'ü'})}.x", ""),
        (f"{HEADER}.{b64(b'[' * 9000)}.x", ""),
        (f"{HEADER}.{b64([])}.x", ""),
        (f"{HEADER}.{b64(b'{')}.x", ""),
        ("ü.ü.ü", ""),
    ],
)
def test_the_jti_is_found_where_it_stands(token: str, named: str) -> None:
    assert jti(parts(token)) == named


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize(
    "token",
    [
        pytest.param(f"{HEADER}.{PAYLOAD}." + "x" * 16_384, id="too long"),
        pytest.param(f"{HEADER}.{PAYLOAD}" + ".x" * 8, id="too many parts"),
        pytest.param("." * 16_384, id="nothing but dots"),
    ],
)
def test_what_is_too_large_is_not_looked_at(token: str) -> None:
    assert parts(token) == ()


@pytest.mark.parametrize(
    ("header", "named"), [({"alg": "ES256"}, "ES256"), ({"alg": 7}, ""), ({}, ""), ([], ""), (b"{", "")]
)
def test_the_algorithm_is_what_the_header_names(header: Any, named: str) -> None:
    assert algorithm(parts(f"{b64(header)}.{PAYLOAD}.x")) == named


@pytest.mark.requirement("SD-20")
def test_as_much_as_may_be_is_looked_at() -> None:
    longest = f"{HEADER}.{PAYLOAD}."

    assert parts(longest + "x" * (16_384 - len(longest)))
    assert len(parts(f"{HEADER}.{PAYLOAD}" + ".x" * 6)) == 8


def test_the_letters_of_plain_base64_are_read_as_those_of_base64url() -> None:
    assert parts("a+b/.x/x+.y") == parts("a-b_.x_x-.y")
    assert parts("AAAX.AAAX.AAAX") == ("AAAX",) * 3


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (f"{HEADER}.{PAYLOAD}.{SIGNATURE}", {"jti": "the-jti", "n": 1}),
        (f"{HEADER}.{b64([])}.x", []),
        (f"{HEADER}.{b64(b'{')}.x", None),
        (f"x.{HEADER}.{PAYLOAD}.{SIGNATURE}", None),
        ("no-jwt-at-all", None),
    ],
)
def test_the_payload_is_the_second_of_three_parts(token: str, said: Any) -> None:
    assert payload(parts(token)) == said


def test_the_payload_is_also_there_as_it_was_written() -> None:
    assert payload_text(parts(f"{HEADER}.{b64(b'{ 1')}.x")) == b"{ 1"
    assert payload_text(("eA", "eQ")) == b"y"
    assert payload_text(("eA",)) == payload_text(()) == b""


def test_the_length_of_a_signature_is_counted_in_bytes() -> None:
    assert signature_length(parts(f"{HEADER}.{PAYLOAD}.{SIGNATURE}")) == 64
    assert signature_length(parts(f"{HEADER}.{PAYLOAD}.")) == 0
    assert signature_length(()) == 0


def test_a_first_part_that_is_no_object_is_no_header() -> None:
    assert header(parts(f"{HEADER}.{PAYLOAD}.x")) == {"alg": "ES256"}
    assert header(parts(f"{b64([])}.{PAYLOAD}.x")) == {}
