"""`/dev/tokens/send`: a bad token at a producer's FHIR server, and the verdict."""

from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlencode

import pytest

from oauth.models import AccessToken, ActsFor, FhirIdentity, FhirServer, PatientRecord
from tests.conftest import SECRET, App, basic
from tests.fixture_types import MakeResourceServer
from tests.oauth.visitor import FORM
from tests.oauth.workbench.conftest import Chooser
from tests.oauth.workbench.test_tokens_page import token_of
from tests.publishing import Publisher, publisher_of

SEND = "/dev/tokens/send"


@pytest.fixture
def producer(chooser: Chooser) -> Iterator[Publisher]:
    """A producer's FHIR server, the only one of the client, where the person is amy. It lets everybody in."""
    with publisher_of('{"resourceType": "Patient", "id": "amy", "name": [{"text": "a secret"}]}') as made:
        server = FhirServer.objects.create(base=f"http://127.0.0.1:{made.port}/{chooser.client.client_id}", name="Mine")
        chooser.client.fhir_servers.set([server])
        FhirIdentity.objects.filter(user=chooser.person).update(fhir_server=server)
        record = PatientRecord.objects.create(fhir_server=server, patient="amy", name="Amy")
        ActsFor.objects.filter(identity__user=chooser.person).update(record=record)
        yield made


def token(asked: dict[str, str]) -> str:
    return asked["authorization"].removeprefix("Bearer ")


def test_a_server_that_lets_a_bad_token_in_is_told_so(chooser: Chooser, producer: Publisher) -> None:
    page = chooser.send("aud-longer", SEND)

    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "<h1>Your server let it in</h1>" in page.text
    assert "Patient/amy" in page.text
    assert "a secret" not in page.text
    good, bad = producer.asked
    assert token(good) != token(bad)
    assert token(bad) not in page.text


def test_a_server_that_tells_them_apart_is_told_so(chooser: Chooser, producer: Publisher) -> None:
    def refuse_the_second(request: BaseHTTPRequestHandler) -> None:
        is_first = len(producer.asked) == 1
        request.send_response(200 if is_first else 401)
        request.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        request.end_headers()

    producer.respond = refuse_the_second

    assert "<h1>Your server refused it</h1>" in chooser.send("expired", SEND).text


def test_the_app_that_runs_keeps_its_token(
    chooser: Chooser, producer: Publisher, app: App, make_resource_server: MakeResourceServer
) -> None:
    """Neither the bad token nor its good twin supersedes one of the same client and person."""
    caller = make_resource_server(chooser.client.fhir_servers.get())
    running = token_of(unescape(chooser.send("good").text))

    chooser.get("expired", to=SEND)

    said = app.post("/o/introspect", data={"token": running}, headers=basic(caller.client_id, SECRET)).json()
    assert said["active"] is True
    seats = AccessToken.objects.filter(authorization__client=chooser.client).values_list("seat", flat=True)
    assert [seat is None for seat in seats.order_by("pk")] == [False, True, True]


def test_a_server_that_refuses_everything_has_proved_nothing(chooser: Chooser, producer: Publisher) -> None:
    producer.status = 401

    assert "<h1>This says nothing yet</h1>" in chooser.send("expired", SEND).text


@pytest.mark.parametrize("kind", ["in-body", "bytes", "good", ""])
def test_what_no_get_can_carry_is_not_sent(chooser: Chooser, producer: Publisher, kind: str) -> None:
    page = chooser.send(kind, SEND)

    assert page.status_code == 422
    assert "This page sends what a GET can carry only" in page.text
    assert producer.asked == []


def test_a_server_that_is_not_there_is_a_sentence(chooser: Chooser, producer: Publisher) -> None:
    producer.stop()

    page = chooser.send("expired", SEND)

    assert page.status_code == 422
    assert "did not answer: ConnectError" in unescape(page.text)


def test_a_form_of_another_site_sends_nothing(chooser: Chooser, producer: Publisher) -> None:
    body = urlencode({"client": chooser.client.client_id, "user": chooser.person.username, "kind": "expired"})

    assert chooser.visitor.request("POST", SEND, content=body, headers=FORM).status_code == 403
    assert producer.asked == []
