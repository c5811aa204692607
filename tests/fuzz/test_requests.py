"""Odd requests at every endpoint: some answer below 500 or a clean close, and nothing is lost."""

from typing import Any

import pytest

from tests.fuzz.conftest import ENDPOINTS
from tests.fuzz.cpu import BUDGET, cost
from tests.fuzz.wire import FORM, HOST, Wire, chunked, exchange, post
from tests.running import Server

pytestmark = [pytest.mark.fuzz, pytest.mark.requirement("SD-18", "SD-20", "SD-27")]
MIB = 1024 * 1024
METHODS = ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW"]


def get(path: str, headers: bytes = b"", target: str = "", version: bytes = b"HTTP/1.1", host: bytes = HOST) -> bytes:
    return b"GET %s %s\r\n%s%s\r\n" % ((target or path).encode("latin-1"), version, host, headers)


def of_type(content_type: bytes, body: bytes = b"a=b") -> Any:
    return lambda path: post(path, body, b"Content-Type: " + content_type + b"\r\n")


def sent(body: bytes) -> Any:
    return lambda path: post(path, body)


def headed(headers: bytes) -> Any:
    return lambda path: get(path, headers)


def method(name: bytes) -> Any:
    return lambda path: b"%s %s HTTP/1.1\r\n%sContent-Length: 0\r\n\r\n" % (name, path.encode(), HOST)


def query(text: str) -> Any:
    return lambda path: get(f"{path}?{text}")


ODD = {
    "query of 60 KiB": query("a=" + "x" * 60_000),
    "query longer than uvicorn reads": query("a=" + "x" * 70_000),
    "path of 30 KiB": lambda path: get(path + "/x" * 15_000),
    "thousands of parameters in the query": query("&".join(f"a{number}=1" for number in range(4000))),
    "doubled parameters in the query": query("client_id=a&client_id=b&aud=a&aud=b&token=a&token=b"),
    "percent-encoded garbage in the query": query("%=%zz&%00=%00&%ff=%fe&%ED%A0%80=%u0041&=&&;"),
    "percent-encoded garbage in the path": lambda path: get(path + "/%00%ff%fe%0d%0a%1b%2e%2e%2f%zz"),
    "bytes beyond ASCII in the query": query("a=\xff\xfe"),
    "bytes beyond ASCII in the path": lambda path: get(path + "/\xff"),
    "dots in the path": lambda path: get(path + "/../../../../etc/passwd"),
    "double slashes": lambda path: get("/" + path + "//"),
    "fragment in the target": lambda path: get(path + "#fragment"),
    "absolute target": lambda path: get(path, target="http://evil.example" + path),
    "absolute target with user-info": lambda path: get(path, target="http://a:b@[::1]:1" + path),
    "target without slash": lambda path: get(path, target="x"),
    "asterisk": lambda path: b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/1.0": lambda path: get(path, version=b"HTTP/1.0", host=b""),
    "HTTP/1.0 kept alive": lambda path: get(path, b"Connection: keep-alive\r\n", version=b"HTTP/1.0", host=b""),
    "HTTP/9.9": lambda path: get(path, version=b"HTTP/9.9"),
    "no version": lambda path: b"GET " + path.encode() + b"\r\n\r\n",
    "the preface of HTTP/2": lambda path: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": lambda path: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32,
    "no Host": lambda path: get(path, host=b""),
    "two Hosts": lambda path: get(path, b"Host: evil.example\r\n"),
    "a Host that is none": lambda path: get(path, host=b'Host: a b"<>\xff\r\n'),
    "an empty Host": lambda path: get(path, host=b"Host: \r\n"),
    "headers of 64 KiB": headed(b"X-Long: " + b"x" * 65_536 + b"\r\n"),
    "2000 headers": headed(b"".join(b"X-%d: 1\r\n" % number for number in range(2000))),
    "NUL in a header": headed(b"X-Odd: a\0b\r\n"),
    "odd bytes in a header's name": headed(b"X-\xff: 1\r\n"),
    "space before the colon": headed(b"X-Odd : 1\r\n"),
    "folded header": headed(b"X-Odd: a\r\n b\r\n"),
    "a header without colon": headed(b"X-Odd\r\n"),
    "lone LF": lambda path: get(path, b"X-Odd: a\nX-Other: b\r\n"),
    "lone CR": lambda path: get(path, b"X-Odd: a\rX-Other: b\r\n"),
    "odd bytes in headers that are read": headed(
        b"Cookie: \xff\xfe=\x80; smartauth=\xf0; smartauth-request=\xff; ;=;\r\nAuthorization: Basic \xff\r\n"
        b"Origin: \xff\r\nAccept: \xff/\xfe;q=\xff\r\nAccept-Language: \xff\r\nReferer: \xff\r\nIf-Match: \xff\r\n"
        b"If-Modified-Since: \xff\r\nIf-None-Match: \xff\r\nRange: bytes=\xff\r\nPrefer: \xff\r\n"
        b"X-Forwarded-For: \xff\r\nX-Forwarded-Proto: \xff\r\nAccept-Encoding: \xff\r\n"
    ),
    "empty headers that are read": headed(b"Authorization:\r\nOrigin:\r\nCookie:\r\nX-Forwarded-For: ,,\r\n"),
    "a preflight of nonsense": lambda path: (
        b"OPTIONS %s HTTP/1.1\r\n%sOrigin: null\r\nAccess-Control-Request-Method: \xff\r\n\r\n" % (path.encode(), HOST)
    ),
    "a bearer token of 16 KiB": headed(b"Authorization: Bearer " + b"a" * 16_385 + b"\r\n"),
    "a bearer token of dots": headed(b"Authorization: Bearer ...\r\n"),
    "two Authorization headers": headed(b"Authorization: Bearer a\r\nAuthorization: Basic YTpi\r\n"),
    "Basic of NUL and invalid UTF-8": headed(b"Authorization: Basic AP/+OgD//g==\r\n"),
    "a websocket": headed(
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    ),
    "an upgrade to h2c with a body": lambda path: post(path, b"a=b", FORM + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    "POST without a body": sent(b""),
    "POST without a length": lambda path: b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a length that is no number": lambda path: post(path, b"", FORM + b"Content-Length: x\r\n"),
    "a negative length": lambda path: (
        b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + FORM + b"Content-Length: -1\r\n\r\n"
    ),
    "two lengths": lambda path: post(path, b"a=b", FORM + b"Content-Length: 30\r\n"),
    "length and chunks": lambda path: post(path, b"3\r\na=b\r\n0\r\n\r\n", FORM + b"Transfer-Encoding: chunked\r\n"),
    "chunks of nonsense": lambda path: (
        b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + FORM + b"Transfer-Encoding: chunked\r\n\r\nzz\r\na=b\r\n"
    ),
    "NUL in the form": sent(b"token=%00&username=%00&password=%00&client_id=\0&code=a%00b&grant_type=%00&_id=%00"),
    "invalid UTF-8 in the form": sent(b"token=%ff%fe&username=%ff&client_id=\xff&grant_type=%ED%A0%80&_id=%ff"),
    "percent-encoded garbage in the form": sent(b"%=%zz&%u0041=%u&=&&;&token=%&csrfmiddlewaretoken=%ff"),
    "doubled parameters in the form": sent(b"token=a&token=b&client_id=a&client_id=a&username=a&username=b"),
    "thousands of parameters in the form": sent(b"&".join(b"a%d=1" % number for number in range(4000))),
    "a value of 60 KiB": sent(b"client_id=" + b"x" * 60_000),
    "deep JSON": of_type(b"application/json", b"[" * 60_000),
    "deep JSON called a form": sent(b'{"token":' * 6000),
    "JSON": of_type(b"application/json", b'{"grant_type": "authorization_code", "token": 1}'),
    "FHIR JSON": of_type(b"application/fhir+json", b'{"resourceType": "Patient"}'),
    "XML with an entity": of_type(b"application/xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "a form in UTF-7": of_type(b"application/x-www-form-urlencoded; charset=utf-7", b"token=+ADw-"),
    "a form in a charset that is none": of_type(b"application/x-www-form-urlencoded; charset=\xff\xfe"),
    "a form in idna": of_type(b"application/x-www-form-urlencoded; charset=idna", b"username=%ff"),
    "a form in base64": of_type(b"application/x-www-form-urlencoded; charset=base64", b"username=AAAA"),
    "multipart without boundary": of_type(b"multipart/form-data"),
    "multipart with an odd boundary": of_type(b"multipart/form-data; boundary=\xff"),
    "multipart that ends early": of_type(
        b"multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="username"\r\n\r\na'
    ),
    "multipart with an odd part": of_type(
        b"multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="\xff\0"; filename*=x\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--b--\r\n",
    ),
    "two content types": lambda path: post(path, b"a=b", FORM + b"Content-Type: application/json\r\n"),
    "a content type that is none": of_type(b";;=\xff"),
    **{name: method(name.encode()) for name in METHODS},
    "CONNECT": lambda path: b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n" + HOST + b"\r\n",
}  # fmt: skip


@pytest.mark.parametrize("request_of", ODD.values(), ids=ODD.keys())
def test_an_odd_request_gets_an_answer_at_every_endpoint(server: Server, request_of: Any) -> None:
    answered = {path: cost(server, request_of(path)) for path in ENDPOINTS}

    failed = {path: reply.status for path, (reply, _) in answered.items() if not 200 <= reply.status < 500}
    costly = {path: seconds for path, (_, seconds) in answered.items() if seconds > BUDGET}
    assert (failed, costly) == ({}, {})


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("encoded", [post, chunked], ids=["announced", "in chunks"])
def test_ten_mebibytes_are_refused_and_the_next_request_is_answered(server: Server, path: str, encoded: Any) -> None:
    with Wire(server) as wire:
        wire.send([encoded(path, b"a=" + b"x" * 10 * MIB)])
        first = wire.reply()
        wire.send([get("/healthz")])
        second = wire.reply()

    assert 300 <= first.status < 500
    assert second.status == 200
    assert second.body == b'{"status": "ok"}'


@pytest.mark.parametrize("path", ["/o/token", "/o/introspect", "/o/revoke", "/o/authorize"])
@pytest.mark.parametrize("encoded", [post, chunked], ids=["announced", "in chunks"])
def test_a_form_that_is_too_long_is_told_so(server: Server, path: str, encoded: Any) -> None:
    assert exchange(server, encoded(path, b"a=" + b"x" * 2 * MIB)).status == 413


@pytest.mark.parametrize("path", ["/o/token", "/o/authorize", "/fhir/r4/Patient/_search", "/login"])
def test_who_expects_a_continue_and_is_too_long_is_refused_at_once(server: Server, path: str) -> None:
    head = b"POST %s HTTP/1.1\r\n%s%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"

    reply = exchange(server, head % (path.encode(), HOST, FORM, 10 * MIB))

    assert 400 <= reply.status < 500


@pytest.mark.parametrize("path", ["/o/token", "/o/authorize", "/login"])
def test_who_expects_a_continue_hears_it_and_then_the_answer(server: Server, path: str) -> None:
    head = b"POST %s HTTP/1.1\r\n%s%sExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"

    with Wire(server) as wire:
        wire.send([head % (path.encode(), HOST, FORM)])
        first = wire.reply()
        wire.send([b"a=b"])
        second = wire.reply()

    assert first.status == 100
    assert 400 <= second.status < 500


@pytest.mark.parametrize("path", [path for path in ENDPOINTS if path != "/healthz"])  # health reads no body
def test_who_leaves_in_the_middle_of_a_body_gets_nothing(server: Server, path: str) -> None:
    with Wire(server) as wire:
        wire.send([post(path, b"a=b" * 100)[:-200]])
        wire.leave()
        reply = wire.reply()

    assert reply.status == 0


@pytest.mark.parametrize("path", ENDPOINTS)
def test_who_leaves_in_the_middle_of_the_headers_gets_nothing(server: Server, path: str) -> None:
    with Wire(server) as wire:
        wire.send([get(path)[:-2]])
        wire.leave()
        reply = wire.reply()

    assert reply.status == 0


def test_as_many_slow_senders_as_threads_and_more_hold_nobody_up(server: Server) -> None:
    slow = [Wire(server) for _ in range(40)]
    for number, wire in enumerate(slow):
        wire.send([post(["/login", "/o/authorize", "/fhir/r4/Patient/_search"][number % 3], b"a=b" * 100)[:-200]])

    with Wire(server, timeout=20) as wire:
        wire.send([get("/")])
        answered = wire.reply()
    for wire in slow:
        wire.__exit__()

    assert answered.status == 200


@pytest.mark.parametrize("path", ["/o/token", "/o/authorize", "/login"])
def test_a_form_that_drips_in_is_read_to_its_end(server: Server, path: str) -> None:
    request = post(path, b"grant_type=x&client_id=nobody")

    with Wire(server) as wire:
        wire.send([request[place : place + 1] for place in range(len(request))], pause=0.001)
        dripped = wire.reply()

    assert dripped.status == exchange(server, request).status


@pytest.mark.requirement("AZ-02")
def test_a_form_in_chunks_is_read_like_any_other(server: Server) -> None:
    form = b"client_id=demo-public&redirect_uri=http%3A%2F%2F127.0.0.1%3A4999%2Fcb&state=kept"

    announced, in_chunks = exchange(server, post("/o/authorize", form)), exchange(server, chunked("/o/authorize", form))

    assert announced.status == in_chunks.status == 303
    assert b"state=kept" in in_chunks.head


@pytest.mark.requirement("SR-01")
def test_a_search_in_chunks_is_read_like_any_other(server: Server, alive: str) -> None:
    headers = FORM + b"Authorization: Bearer " + alive.encode() + b"\r\n"

    announced = exchange(server, post("/fhir/r4/Patient/_search", b"name=Nobody", headers))
    in_chunks = exchange(server, chunked("/fhir/r4/Patient/_search", b"name=Nobody", headers))

    assert announced.status == in_chunks.status == 200
    assert b'"total": 0' in announced.body == in_chunks.body


def test_requests_sent_without_waiting_are_answered_in_order(server: Server) -> None:
    with Wire(server) as wire:
        wire.send([get("/healthz") + post("/o/token", b"a=b") + get("/o/jwks") + get("/healthz")])
        statuses = [wire.reply().status for _ in range(4)]

    assert statuses == [200, 401, 200, 200]
