"""Long headers and bodies cost no more than their length: one request must not hold up everybody else (SD-20)."""

import pytest
from django.conf import settings

from tests.fuzz.cpu import BUDGET, cost
from tests.fuzz.wire import FORM, HOST, post
from tests.running import Server

pytestmark = [pytest.mark.fuzz, pytest.mark.requirement("SD-20")]

HEADERS = [
    "Content-Type", "Accept", "Cookie", "Authorization", "Accept-Language", "Accept-Encoding", "If-None-Match",
    "If-Modified-Since", "Range", "Referer", "Origin", "X-Forwarded-For", "Prefer", "X-Request-Id",
    "Access-Control-Request-Headers", "DPoP",
]  # fmt: skip
STARTS = {"Content-Type": b"a/b;", "Accept": b"a/b;", "Cookie": b"smartauth=", "Authorization": b"Bearer "}
PIECES = [b";", b'";', b"\\", b'\\"', b",", b"=", b"; ", b'W/"', b"%", b"\\342", b".", b"a=b; "]
PATHS = [
    "/o/token", "/login", "/fhir/r4/Patient", "/fhir/r4/metadata", "/o/authorize", "/admin/login/", "/o/launch",
    "/static/smartauth.css",
]  # fmt: skip
LONG = 31_000

BODIES = {
    "separators": b"&" * 1_000_000,
    "percent signs": b"a=" + b"%" * 1_000_000,
    "escapes": b"a=" + b"%41" * 330_000,
    "plus signs": b"+" * 1_000_000,
    "fields": b"a=&" * 330_000,
    "brackets": b"[" * 1_000_000,
    "members": b'{"a":' * 200_000,
    "backslashes": b'"' + b"\\" * 1_000_000,
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_long_header_costs_little_at_every_door(server: Server, name: str, method: str) -> None:
    costs = {}
    for path in PATHS:
        for piece in PIECES:
            for quote in (b"", b'"'):  # an open quote makes a reader look for its end again and again
                value = STARTS.get(name, b"") + quote + piece * (LONG // len(piece)) + quote
                lines = HOST + name.encode() + b": " + value + b"\r\nContent-Length: 0\r\n"
                reply, seconds = cost(server, f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"\r\n")
                costs[path, piece, quote] = seconds
                assert 200 <= reply.status < 500

    assert {request: seconds for request, seconds in costs.items() if seconds > BUDGET} == {}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("content_type", [FORM, b"Content-Type: application/json\r\n"], ids=["form", "JSON"])
def test_a_long_body_costs_little_at_every_door(server: Server, body: bytes, content_type: bytes) -> None:
    costs = {}
    for path in [*PATHS[:-1], "/fhir/r4/Patient/_search", "/o/userinfo"]:
        reply, costs[path] = cost(server, post(path, body, content_type))
        assert 200 <= reply.status < 500

    # a megabyte that is read once; with the square of its length it would be minutes
    assert {path: seconds for path, seconds in costs.items() if seconds > 12 * BUDGET} == {}


@pytest.mark.parametrize("path", ["/login", "/admin/login/", "/o/userinfo", "/fhir/r4/Patient/_search"])
@pytest.mark.parametrize("piece", [b";", b'a=";', b"\\"], ids=["semicolons", "quotes", "backslashes"])
def test_multipart_is_not_read(server: Server, path: str, piece: bytes) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="' + piece * (900 // len(piece)) + b"\r\n\r\n1\r\n"
    as_a_page_sends_it = b"Cookie: %s=%s\r\nAuthorization: Bearer x\r\n" % (
        settings.CSRF_COOKIE_NAME.encode(),
        b"a" * 32,
    )
    headers = b"Content-Type: multipart/form-data; boundary=b\r\n" + as_a_page_sends_it

    reply, seconds = cost(server, post(path, part * 900 + b"--b--", headers))

    assert 400 <= reply.status < 500
    assert seconds <= BUDGET
