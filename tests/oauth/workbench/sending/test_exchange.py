"""What is sent to a FHIR server, and what is read of its answer."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from oauth.workbench.sending import exchange
from oauth.workbench.sending.exchange import can_be_sent, request_head, send
from smartauth_probe.catalogue import kinds
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.received import Received
from smartauth_probe.requests import presentation
from tests.publishing import Publisher, publisher_of

pytestmark = pytest.mark.one_engine

TOKEN = "eyJhbGciOiJFUzI1NiJ9.payload.signature"
NOT_SENT = {"in-body", "bytes", "bytes-folded", "bytes-non-ascii", "bytes-invalid-utf8"}


@pytest.fixture
def producer() -> Iterator[Publisher]:
    """A producer's FHIR server."""
    with publisher_of('{"resourceType": "Patient", "id": "amy", "name": []}') as made:
        yield made


def base(producer: Publisher) -> str:
    return f"http://127.0.0.1:{producer.port}/fhir"


def test_status_challenge_and_resource_are_read(producer: Publisher) -> None:
    producer.status = 401
    producer.headers = {"WWW-Authenticate": 'Bearer realm="x", error="invalid_token"'}

    received = send(base(producer), presentation("expired", TOKEN, "amy"))

    assert received == Received(401, 'Bearer realm="x", error="invalid_token"', "Patient/amy")
    assert received.error == "invalid_token"
    (asked,) = producer.asked
    assert (asked["path"], asked["authorization"]) == ("/fhir/Patient/amy", f"Bearer {TOKEN}")


def test_of_a_long_body_only_the_beginning_is_read(producer: Publisher) -> None:
    producer.body = '{"resourceType": "Bundle", "x": "' + "x" * 100_000

    assert send(base(producer), presentation("expired", TOKEN, "amy")) == Received(200, "", "Bundle", True)


def test_no_redirect_is_followed(producer: Publisher) -> None:
    producer.status, producer.headers = 302, {"Location": f"{base(producer)}/elsewhere"}

    assert send(base(producer), presentation("expired", TOKEN, "amy")).status == 302
    assert len(producer.asked) == 1


def test_a_server_that_is_not_there_is_named() -> None:
    with publisher_of() as gone:
        address = base(gone)

    with pytest.raises(NoAnswer, match=f"{address} did not answer: ConnectionRefusedError"):
        send(address, presentation("expired", TOKEN, "amy"))


def test_an_answer_that_never_ends_is_given_up(producer: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SECONDS", 0.3)

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:  # until the other side hangs up
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.02)

    producer.respond = drip

    with pytest.raises(NoAnswer, match="did not answer within"):
        send(base(producer), presentation("expired", TOKEN, "amy"))


@pytest.mark.parametrize("kind", kinds())
def test_what_a_get_can_carry_is_sent(kind: str) -> None:
    assert can_be_sent(presentation(kind, TOKEN, "amy")) == (kind not in NOT_SENT)


def test_two_headers_are_sent_as_two(producer: Publisher) -> None:
    headers: list[str] = []

    def note(request: BaseHTTPRequestHandler) -> None:
        headers.extend(request.headers.get_all("Authorization", []))
        request.send_response(401)
        request.end_headers()

    producer.respond = note

    assert send(base(producer), presentation("two-headers", TOKEN, "amy")).status == 401
    assert headers == [f"Bearer {TOKEN}"] * 2


def test_the_request_is_shown_without_the_token() -> None:
    head = request_head("http://fhir.example.org:8080/r4", presentation("expired", TOKEN, "amy"))

    assert head == (
        "GET /r4/Patient/amy HTTP/1.1\nHost: fhir.example.org:8080\n"
        "Accept: application/fhir+json\nAuthorization: Bearer eyJhbGci..."
    )
    assert TOKEN not in request_head("http://fhir.example.org/r4", presentation("in-query", TOKEN, "amy"))
