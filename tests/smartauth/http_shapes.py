"""Shapes of HTTP that other servers lose, smuggle or swallow: what is sent, and what an application must get of it."""

from dataclasses import dataclass, field
from hashlib import sha256

Seen = tuple[str, str, str]  # method, path, body (a long one by its length and digest)

HOST = b"Host: x\r\n"
SETTINGS = b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" + SETTINGS
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
INNER = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"  # 35 bytes: a body that is a request
FORM = b"token=abc&client_id=d"
LONG = b"x" * 60_000
BAD = b"POST /bad HTTP/1.1\r\n" + HOST
EXTENDED = b"3;q=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"


@dataclass(frozen=True)
class Shape:
    """`raw` on one connection: the requests that an application must get, the statuses of the answers, in order.

    `also` lists other statuses that are right. `whole` shapes are long and cut in a few ways only. `never` is a header
    name that no application may get.
    """

    raw: bytes
    seen: list[Seen]
    statuses: list[int]
    closed: bool = False
    also: tuple[list[int], ...] = ()
    whole: bool = False
    never: str = ""
    heads: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", int(self.raw.startswith(b"HEAD")))


def shown(body: bytes) -> str:
    return body.decode("latin-1") if len(body) < 2000 else f"{len(body)} bytes {sha256(body).hexdigest()[:12]}"


def with_length(path: bytes, body: bytes = FORM, headers: bytes = b"", version: bytes = b"1.1") -> bytes:
    head = b"POST %s HTTP/%s\r\n%s%s" % (path, version, HOST, headers)
    return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def in_chunks(
    path: bytes, *chunks: bytes, headers: bytes = b"", trailers: bytes = b"", version: bytes = b"1.1"
) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"POST %s HTTP/%s\r\n%s%sTransfer-Encoding: chunked\r\n\r\n" % (path, version, HOST, headers)
    return head + body + b"0\r\n" + trailers + b"\r\n"


def get(path: bytes, headers: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"GET %s HTTP/%s\r\n%s%s\r\n" % (path, version, HOST, headers)


def posted(path: str, body: bytes = FORM) -> Seen:
    return ("POST", path, shown(body))


def got(path: str) -> Seen:
    return ("GET", path, "")


ORDINARY = {
    "a length": Shape(with_length(b"/a"), [posted("/a")], [200]),
    "chunks": Shape(in_chunks(b"/a", b"abc", b"de"), [posted("/a", b"abcde")], [200]),
    "a chunk extension and trailers": Shape(
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + EXTENDED, [posted("/a", b"abc")], [200]
    ),
    "three pipelined, the first one slow": Shape(
        get(b"/slow") + with_length(b"/b") + get(b"/c"), [got("/slow"), posted("/b"), got("/c")], [200] * 3
    ),
    "answered before the body, then the next": Shape(
        with_length(b"/early") + get(b"/b"), [("POST", "/early", ""), got("/b")], [200, 200]
    ),
    "HTTP/1.0": Shape(with_length(b"/a", version=b"1.0"), [posted("/a")], [200], closed=True),
    "HTTP/1.0 in chunks": Shape(
        in_chunks(b"/a", INNER, version=b"1.0"), [posted("/a", INNER)], [200], closed=True, also=([400],)
    ),
    "fifty pipelined": Shape(get(b"/a") * 50, [got("/a")] * 50, [200] * 50, whole=True),
    "100 header lines": Shape(
        b"GET /a HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(100)) + b"\r\n",
        [got("/a")], [200], whole=True,
    ),
    "a header of 95 KiB": Shape(get(b"/a", b"X: " + b"x" * 95 * 1024 + b"\r\n"), [got("/a")], [200], whole=True),
    "bytes behind Connection: close": Shape(
        with_length(b"/slow", FORM, b"Connection: close\r\n") + INNER, [posted("/slow")], [200], closed=True
    ),
}  # fmt: skip

UPGRADES = {
    "Upgrade without Connection": Shape(
        with_length(b"/a", INNER, b"Upgrade: h2c\r\n") + get(b"/b"), [posted("/a", INNER), got("/b")], [200, 200]
    ),
    "Connection: upgrade without Upgrade": Shape(
        with_length(b"/a", INNER, b"Connection: upgrade\r\n") + get(b"/b"), [posted("/a", INNER), got("/b")], [200, 200]
    ),
    "h2c, a length": Shape(with_length(b"/a", FORM, H2C), [posted("/a")], [200]),
    "h2c, the body is a request": Shape(with_length(b"/a", INNER, H2C), [posted("/a", INNER)], [200]),
    "h2c, length 0, next": Shape(
        with_length(b"/a", b"", H2C) + get(b"/b"), [posted("/a", b""), got("/b")], [200, 200]
    ),
    "h2c, no body, next": Shape(get(b"/a", H2C) + get(b"/b"), [got("/a"), got("/b")], [200, 200]),
    "h2c, GET with a body, next": Shape(
        b"GET /a HTTP/1.1\r\n" + HOST + H2C + b"Content-Length: 35\r\n\r\n" + INNER + get(b"/b"),
        [("GET", "/a", INNER.decode()), got("/b")], [200, 200],
    ),
    "h2c, chunks": Shape(in_chunks(b"/a", b"abc", b"de", headers=H2C), [posted("/a", b"abcde")], [200]),
    "h2c, a chunk is a request": Shape(in_chunks(b"/a", INNER, headers=H2C), [posted("/a", INNER)], [200]),
    "h2c, a chunk extension and trailers, next": Shape(
        b"POST /a HTTP/1.1\r\n" + HOST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n" + EXTENDED + get(b"/b"),
        [posted("/a", b"abc"), got("/b")], [200, 200],
    ),
    "h2c, then a plain one": Shape(with_length(b"/a", FORM, H2C) + get(b"/b"), [posted("/a"), got("/b")], [200, 200]),
    "h2c twice": Shape(
        with_length(b"/a", FORM, UPGRADE) + with_length(b"/b", INNER, UPGRADE),
        [posted("/a"), posted("/b", INNER)], [200, 200],
    ),
    "h2c in chunks twice, then a plain one": Shape(
        in_chunks(b"/a", INNER, headers=UPGRADE) + in_chunks(b"/b", b"x", headers=UPGRADE) + get(b"/c"),
        [posted("/a", INNER), posted("/b", b"x"), got("/c")], [200] * 3,
    ),
    "plain, h2c, plain": Shape(
        with_length(b"/a") + with_length(b"/b", INNER, H2C) + with_length(b"/c"),
        [posted("/a"), posted("/b", INNER), posted("/c")], [200] * 3,
    ),
    "h2c behind a slow one": Shape(
        get(b"/slow") + with_length(b"/b", INNER, H2C) + get(b"/c"),
        [got("/slow"), posted("/b", INNER), got("/c")], [200] * 3,
    ),
    "h2c to a slow application, then a plain one": Shape(
        with_length(b"/slow", INNER, H2C) + get(b"/b"), [posted("/slow", INNER), got("/b")], [200, 200]
    ),
    "h2c, answered before the body": Shape(
        with_length(b"/early", INNER, H2C) + get(b"/b"), [("POST", "/early", ""), got("/b")], [200, 200]
    ),
    "Upgrade before Connection": Shape(
        with_length(b"/a", INNER, b"Upgrade: h2c\r\n" + SETTINGS + b"Connection: HTTP2-Settings, Upgrade\r\n"),
        [posted("/a", INNER)], [200],
    ),
    "names in odd case": Shape(
        with_length(b"/a", INNER, b"uPgRaDe: H2C\r\ncOnNeCtIoN: uPgRaDe\r\n"), [posted("/a", INNER)], [200]
    ),
    "Connection: keep-alive, Upgrade": Shape(
        with_length(b"/a", INNER, b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n") + get(b"/b"),
        [posted("/a", INNER), got("/b")], [200, 200],
    ),
    "Connection: close, Upgrade": Shape(
        with_length(b"/a", INNER, b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n"),
        [posted("/a", INNER)], [200], closed=True,
    ),
    "Connection in two lines": Shape(
        with_length(b"/a", INNER, b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
        [posted("/a", INNER)], [200],
    ),
    "two Upgrade lines": Shape(
        with_length(b"/a", INNER, b"Upgrade: websocket\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
        [posted("/a", INNER)], [200],
    ),
    "an empty Upgrade": Shape(
        with_length(b"/a", INNER, b"Upgrade:\r\nConnection: Upgrade\r\n"), [posted("/a", INNER)], [200]
    ),
    "Upgrade: TLS/1.0": Shape(
        with_length(b"/a", INNER, b"Upgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade\r\n"),
        [posted("/a", INNER)], [200],
    ),
    "a websocket's GET with a body": Shape(
        b"GET /a HTTP/1.1\r\n" + HOST + WEBSOCKET + b"Content-Length: 35\r\n\r\n" + INNER + get(b"/b"),
        [("GET", "/a", INNER.decode()), got("/b")], [200, 200],
    ),
    "a websocket's POST in chunks": Shape(
        in_chunks(b"/a", INNER, headers=WEBSOCKET), [posted("/a", INNER)], [200]
    ),
    "h2c, HTTP/1.0": Shape(with_length(b"/a", INNER, UPGRADE, b"1.0"), [posted("/a", INNER)], [200], closed=True),
    "h2c, Expect: 100-continue": Shape(
        with_length(b"/a", INNER, b"Expect: 100-continue\r\n" + UPGRADE), [posted("/a", INNER)], [200]
    ),
    "h2c, HEAD with a body, next": Shape(
        b"HEAD /a HTTP/1.1\r\n" + HOST + UPGRADE + b"Content-Length: 35\r\n\r\n" + INNER + get(b"/b"),
        [("HEAD", "/a", INNER.decode()), got("/b")], [200, 200],
    ),
    "h2c, odd values": Shape(
        with_length(b"/a?q=%20", INNER, b"X-A: a \t \r\nX-B:\r\nX-C: \t a\tb\r\nX-D: \xe9\xff\r\n" + UPGRADE),
        [posted("/a", INNER)], [200],
    ),
    "h2c, an absolute target": Shape(
        with_length(b"http://x/a", INNER, UPGRADE), [posted("/a", INNER)], [200], also=([404],)
    ),
    "h2c, 60 kB": Shape(
        with_length(b"/a", LONG, H2C) + get(b"/b"), [posted("/a", LONG), got("/b")], [200, 200], whole=True
    ),
}  # fmt: skip

REFUSED = {
    "h2c, a target beyond ASCII": Shape(with_length(b"/\xff", INNER, UPGRADE), [], [400], closed=True),
    "h2c, then a head that is too long": Shape(
        with_length(b"/a", FORM, UPGRADE) + get(b"/b", b"X: " + b"x" * 97 * 1024 + b"\r\n"),
        [posted("/a")], [200], closed=True, also=([200, 431],), whole=True,
    ),
    "h2c, length and chunks": Shape(
        BAD + UPGRADE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
        [], [400], closed=True,
    ),
    "h2c, two lengths": Shape(with_length(b"/a", INNER, UPGRADE + b"Content-Length: 1\r\n"), [], [400], closed=True),
    "h2c, Transfer-Encoding: gzip": Shape(
        BAD + UPGRADE + b"Transfer-Encoding: gzip\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "h2c, chunks of nonsense": Shape(
        BAD + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + INNER, [], [400], closed=True, also=([],)
    ),
    "h2c, a chunk longer than said": Shape(
        BAD + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" + INNER,
        [], [400], closed=True, also=([],),
    ),
    "CONNECT with a path": Shape(
        b"CONNECT /a HTTP/1.1\r\n" + HOST + b"Content-Length: 35\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "CONNECT with a host": Shape(
        b"CONNECT x:80 HTTP/1.1\r\n" + HOST + b"Content-Length: 35\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "length and chunks": Shape(
        BAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "chunks and length": Shape(
        BAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "two lengths": Shape(with_length(b"/a", INNER, b"Content-Length: 1\r\n"), [], [400], closed=True),
    "a length with a sign": Shape(BAD + b"Content-Length: +35\r\n\r\n" + INNER, [], [400], closed=True),
    "a list of lengths": Shape(BAD + b"Content-Length: 35, 35\r\n\r\n" + INNER, [], [400], closed=True),
    "Transfer-Encoding: xchunked": Shape(BAD + b"Transfer-Encoding: xchunked\r\n\r\n" + INNER, [], [400], closed=True),
    "Transfer-Encoding: chunked, gzip": Shape(
        BAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "Transfer-Encoding twice": Shape(
        BAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "a space before the colon": Shape(BAD + b"Content-Length : 35\r\n\r\n" + INNER, [], [400], closed=True),
    "a folded Transfer-Encoding": Shape(
        BAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + INNER, [], [400], closed=True
    ),
    "a lone LF in the head": Shape(BAD + b"X: a\nContent-Length: 35\r\n\r\n" + INNER, [], [400], closed=True),
    "a lone LF after a chunk size": Shape(
        BAD + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n" + INNER, [], [400], closed=True, also=([],)
    ),
    "garbage behind a slow request": Shape(
        get(b"/slow") + b"\x00\x01garbage\r\n\r\n", [got("/slow")], [200], closed=True, also=([200, 400],)
    ),
    "the preface of HTTP/2": Shape(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [], [400], closed=True),
    "101 header lines": Shape(
        b"GET /a HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(101)) + b"\r\n",
        [], [431], closed=True, whole=True,
    ),
    "a header of 97 KiB": Shape(
        get(b"/a", b"X: " + b"x" * 97 * 1024 + b"\r\n"), [], [431], closed=True, whole=True
    ),
    "a header of 600 KiB": Shape(
        get(b"/a", b"X: " + b"x" * 600 * 1024 + b"\r\n"), [], [431], closed=True, whole=True
    ),
    "a target of 97 KiB": Shape(get(b"/" + b"x" * 97 * 1024), [], [431], closed=True, whole=True),
    "101 trailers": Shape(
        in_chunks(b"/a", b"abc", trailers=b"".join(b"X-%d: 1\r\n" % n for n in range(101))),
        [], [431], closed=True, also=([],), whole=True,
    ),
    "a trailer of 600 KiB": Shape(
        in_chunks(b"/a", b"abc", trailers=b"X: " + b"x" * 600 * 1024 + b"\r\n"),
        [], [431], closed=True, also=([],), whole=True,
    ),
    "a chunk extension of 600 KiB": Shape(
        BAD + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 600 * 1024 + b"\r\nabc\r\n0\r\n\r\n",
        [], [431], closed=True, also=([], [400]), whole=True,
    ),
    "600 KiB of empty lines": Shape(
        b"\r\n" * 300 * 1024 + get(b"/a"), [], [431], closed=True, also=([], [400]), whole=True
    ),
}  # fmt: skip

TRAILERS = {
    "Connection: close": Shape(
        in_chunks(b"/a", b"abc", trailers=b"Connection: close\r\n") + get(b"/b"),
        [posted("/a", b"abc"), got("/b")], [200, 200], also=([200],),
    ),
    "Connection and Upgrade": Shape(
        in_chunks(b"/a", b"abc", trailers=UPGRADE) + get(b"/b"), [posted("/a", b"abc"), got("/b")], [200, 200]
    ),
    "X-Forwarded-For": Shape(
        in_chunks(b"/slow", b"abc", trailers=b"X-Forwarded-For: 192.0.2.6\r\n"),
        [posted("/slow", b"abc")], [200], never="x-forwarded-for",
    ),
    "Authorization": Shape(
        in_chunks(b"/slow", b"abc", trailers=b"Authorization: Basic eDp5\r\n"),
        [posted("/slow", b"abc")], [200], never="authorization",
    ),
    "Content-Length": Shape(
        in_chunks(b"/a", b"abc", trailers=b"Content-Length: 35\r\n") + get(b"/b"),
        [posted("/a", b"abc"), got("/b")], [200, 200], also=([400], [200, 400]),
    ),
}  # fmt: skip

SHAPES = {**ORDINARY, **UPGRADES, **REFUSED, **{f"a trailer {name}": shape for name, shape in TRAILERS.items()}}
