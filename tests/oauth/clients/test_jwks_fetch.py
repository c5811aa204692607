"""Which JWKS URLs are asked, how, and what of an answer is taken: https, public addresses, small, quick (CL-12)."""

import asyncio
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from oauth.clients import jwks_fetch, jwks_uri
from oauth.clients.jwks_fetch import FetchedJwks, NotPublic, Unfetchable
from tests.publishing import Publisher, publisher_of, server_context, trusting_context

pytestmark = pytest.mark.one_engine

SET = '{"keys": []}'


def fetched(address: str) -> FetchedJwks:
    return asyncio.run(jwks_fetch.fetch(address))


def why_not(address: str) -> str:
    with pytest.raises(Unfetchable) as refused:
        fetched(address)
    return str(refused.value)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publisher_of(SET) as made:
        yield made


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority of the tests instead of the world's."""
    context = trusting_context()
    monkeypatch.setattr(jwks_fetch, "_tls_context", lambda: context)


# Which addresses ------------------------------------------------------------------------------------------------------

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
    "100.64.0.1", "localhost", "[::1]", "[::]", "[fd00::1]", "[fe80::1]", "[fe80::1%251]", "[ff02::1]",
    "[fd00:ec2::254]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:0a00:0001::1]",
    "2130706433", "0x7f.1", "0177.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.requirement("CL-12", "E100")
def test_an_address_inside_is_not_asked_outside_development(host: str, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    assert why_not(f"https://{host}/jwks") in (
        "Its host has an address that is not public", "It could not be fetched: gaierror", "It is not a URL",
        "It could not be fetched: InvalidURL",
    )  # fmt: skip


@pytest.mark.parametrize(
    "address",
    ["http://keys.example.org/", "http://127.0.0.1/", "ftp://x/", "https://[", "https://a b/", "", "//x/jwks", "https:///",
     "https://user:secret@keys.example.org/", "https://keys.example.org/#x", "https://keys.example.org:0/",
     "https://keys.example.org:99999/", "file:///etc/passwd", "https://kéys.example.org/"],
)  # fmt: skip
@pytest.mark.requirement("RG-06", "CL-12")
def test_a_url_that_cannot_be_registered_is_not_fetched_either(address: str, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    assert why_not(address).startswith(("It must begin with https://", "It is not a URL", "A user name or fragment"))


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(host: str) -> None:
    assert jwks_uri.is_public(host)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1", "fe80::1%eth0", "::7f00:1",
     "::ffff:0:7f00:1", "fec0::1", "fec0::1%2", "5f00::1", "192.0.0.192", "168.63.129.16", "::ffff:168.63.129.16"],
)  # fmt: skip
@pytest.mark.requirement("E100")
def test_an_address_that_leads_inside_by_another_writing_is_not(host: str) -> None:
    assert not jwks_uri.is_public(host)


class Resolver:
    """Says of a name what is told, one answer after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked: list[str] = []
        self._answers, self._real = list(answers), socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._resolved)
        monkeypatch.setattr(jwks_uri, "is_public", lambda address: address == "127.0.0.1")

    def _resolved(self, host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host != "keys.example.org":
            return self._real(host, port, *arguments, **options)
        self.asked.append(host)
        answer = self._answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


@pytest.mark.requirement("E100", "CL-12")
def test_a_name_that_changes_its_mind_is_asked_at_the_address_that_was_judged(
    monkeypatch: pytest.MonkeyPatch, settings: Any, trusted: None
) -> None:
    """127.0.0.1 stands for a public address here, 127.0.0.2 for one inside."""
    settings.SMARTAUTH_DEV = False
    resolver = Resolver(monkeypatch, ["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"])
    context = server_context("keys.example.org")

    with publisher_of(SET, tls=context) as public:
        answer = fetched(f"https://keys.example.org:{public.port}/jwks")

    assert answer.body == SET.encode()
    assert resolver.asked == ["keys.example.org"]
    assert public.asked[0]["host"] == f"keys.example.org:{public.port}"


@pytest.mark.requirement("E100", "CL-12")
@pytest.mark.parametrize("answer", [["127.0.0.2"], ["127.0.0.1", "127.0.0.2"]], ids=["inside", "one of two inside"])
def test_a_name_with_an_address_inside_is_not_asked_at_all(
    monkeypatch: pytest.MonkeyPatch, settings: Any, trusted: None, answer: list[str]
) -> None:
    settings.SMARTAUTH_DEV = False
    Resolver(monkeypatch, answer)

    with publisher_of(SET, tls=server_context("keys.example.org")) as public:
        problem = why_not(f"https://keys.example.org:{public.port}/jwks")

    assert problem == "Its host has an address that is not public"
    assert public.asked == []


@pytest.mark.requirement("E99", "E100")
@pytest.mark.parametrize(("address", "is_inside"), [("https://10.0.0.1/", True), ("http://keys.example.org/", False)])
def test_only_what_lies_inside_is_refused_as_not_public(address: str, is_inside: bool, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    with pytest.raises(Unfetchable) as refused:
        fetched(address)
    assert isinstance(refused.value, NotPublic) is is_inside


def test_of_many_addresses_one_of_ipv4_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in a container often has no way to the others."""
    Resolver(monkeypatch, [*(f"2001:db8::{number:x}" for number in range(1, 33)), "203.0.113.7"])

    assert asyncio.run(jwks_fetch._public_address("keys.example.org", 443)) == "203.0.113.7"


@pytest.mark.requirement("E100", "CL-12")
def test_outside_development_all_addresses_of_a_name_must_be_public(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SMARTAUTH_DEV = False
    Resolver(monkeypatch, ["127.0.0.1"], ["127.0.0.1", "127.0.0.2"])

    assert asyncio.run(jwks_fetch._public_address("keys.example.org", 443)) == "127.0.0.1"
    with pytest.raises(NotPublic):
        asyncio.run(jwks_fetch._public_address("keys.example.org", 443))


def test_a_name_that_does_not_resolve_is_a_plain_sentence() -> None:
    assert why_not("https://nobody.invalid/jwks").startswith("It could not be fetched")


def test_a_port_where_nobody_listens_is_a_plain_sentence() -> None:
    assert why_not("http://127.0.0.1:9/jwks") == "It could not be fetched: ConnectError"


# How ------------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RG-06", "CL-12")
def test_it_is_asked_without_credentials_for_json(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    fetched(publisher.url)

    (asked,) = publisher.asked
    assert (asked["accept"], asked["accept-encoding"]) == ("application/json", "identity")
    assert {"cookie", "authorization"}.isdisjoint(asked)
    assert asked["host"] == f"127.0.0.1:{publisher.port}"


@pytest.mark.requirement("RG-06", "CL-12", "E100")
def test_the_judged_address_is_asked_under_the_name_of_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    Resolver(monkeypatch, ["127.0.0.1"])
    asked: list[httpx.Request] = []
    options: dict[str, Any] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(SET.encode()))

    def client_of(client: type[httpx.AsyncClient] = httpx.AsyncClient, **given: Any) -> httpx.AsyncClient:
        options.update(given)
        return client(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(jwks_fetch, "SECONDS", 3.0)
    monkeypatch.setattr(jwks_fetch, "_tls_context", lambda: "the authorities that are believed")
    monkeypatch.setattr(httpx, "AsyncClient", client_of)

    assert fetched("https://keys.example.org:8443/jwks").body == SET.encode()
    (request,) = asked
    assert str(request.url) == "https://127.0.0.1:8443/jwks"
    assert request.headers["host"] == "keys.example.org:8443"
    assert request.extensions["sni_hostname"] == "keys.example.org"
    assert set(request.extensions["timeout"].values()) == {3.0}
    assert options == {"verify": "the authorities that are believed", "trust_env": False, "follow_redirects": False}


@pytest.mark.requirement("CL-12", "E99")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(publisher: Publisher, status: int) -> None:
    with publisher_of(SET) as elsewhere:
        publisher.status, publisher.headers = status, {"Location": elsewhere.url}
        problem = why_not(publisher.url)

    assert problem == f"It answered {status} instead of 200"
    assert elsewhere.asked == []


@pytest.mark.requirement("E99")
@pytest.mark.parametrize("status", [204, 206, 401, 404, 500, 503])
def test_another_status_than_200_is_no_answer(publisher: Publisher, status: int) -> None:
    publisher.status = status

    assert why_not(publisher.url) == f"It answered {status} instead of 200"


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b" " * 65_536)


def trickling(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b" ")
        time.sleep(0.05)


def trickling_headers(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.0 200 OK\r\n")
    while True:
        request.wfile.write(b"X-More: 1\r\n")
        time.sleep(0.05)


def silent(request: BaseHTTPRequestHandler) -> None:
    time.sleep(30)


def torn(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def no_http(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x00\x01\x02 hello\r\n\r\n")


@pytest.mark.requirement("CL-12", "E99")
def test_an_endless_answer_is_left_after_256_kb(publisher: Publisher) -> None:
    publisher.respond = endless

    assert why_not(publisher.url) == "It is longer than 262144 bytes"


@pytest.mark.requirement("CL-12", "E99")
@pytest.mark.parametrize("respond", [trickling, trickling_headers, silent], ids=["body", "headers", "silence"])
def test_a_slow_answer_is_left_when_the_time_is_over(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, respond: Any
) -> None:
    monkeypatch.setattr(jwks_fetch, "SECONDS", 1.0)
    publisher.respond = respond

    problem = why_not(publisher.url)

    assert problem == "It took longer than 1 seconds" or problem.startswith("It could not be fetched: Read")


@pytest.mark.requirement("CL-12", "E99")
def test_whatever_takes_longer_than_its_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dawdle(_: httpx.URL) -> FetchedJwks:
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=2)
        return FetchedJwks(b"", 0)

    monkeypatch.setattr(jwks_fetch, "SECONDS", 0.01)
    monkeypatch.setattr(jwks_fetch, "_request", dawdle)

    assert why_not("https://keys.example.org/jwks") == "It took longer than 0 seconds"


@pytest.mark.requirement("CL-12")
def test_the_time_for_all_of_it_is_five_seconds() -> None:
    assert jwks_fetch.SECONDS == 5


@pytest.mark.requirement("E99")
@pytest.mark.parametrize("respond", [torn, no_http], ids=["torn", "no HTTP"])
def test_a_broken_answer_is_no_answer(publisher: Publisher, respond: Any) -> None:
    publisher.respond = respond

    assert why_not(publisher.url) == "It could not be fetched: RemoteProtocolError"


@pytest.mark.requirement("CL-10")
def test_the_life_of_an_answer_is_what_its_headers_say(publisher: Publisher) -> None:
    publisher.headers = {"Cache-Control": "public, max-age=50", "Age": "20"}

    assert fetched(publisher.url).seconds == 30


# TLS ------------------------------------------------------------------------------------------------------------------


def test_https_with_a_good_certificate_works(trusted: None) -> None:
    with publisher_of(SET, tls=server_context("127.0.0.1")) as publisher:
        assert fetched(publisher.url).body == SET.encode()


@pytest.mark.requirement("E99", "CL-12")
def test_a_certificate_of_nobody_we_trust_is_refused() -> None:
    with publisher_of(SET, tls=server_context("127.0.0.1")) as publisher:
        assert why_not(publisher.url) == "It could not be fetched: ConnectError"

    assert publisher.asked == []


@pytest.mark.requirement("E99", "CL-12")
def test_a_certificate_of_another_name_is_refused(trusted: None) -> None:
    with publisher_of(SET, tls=server_context("other.example.org")) as publisher:
        assert why_not(publisher.url) == "It could not be fetched: ConnectError"

    assert publisher.asked == []
