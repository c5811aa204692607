"""`/dev/tokens/send`: a bad token at a producer's FHIR server, and the verdict."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote, urlencode

import httpx
import pytest

from oauth.models import AccessToken, ActsFor, FhirIdentity, FhirServer, PatientRecord
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.sending import trial_group
from smartauth_probe.kinds import Kind
from tests.conftest import SECRET, App, basic
from tests.fixture_types import MakeResourceServer
from tests.oauth.visitor import FORM
from tests.oauth.workbench.conftest import Chooser
from tests.oauth.workbench.pages.test_tokens import token_of
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


def refuse_bad_ones(producer: Publisher) -> Callable[[BaseHTTPRequestHandler], None]:
    """A server that lets every first token in, the good twin, and refuses every second."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200 if len(producer.asked) % 2 else 401)
        request.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        request.end_headers()

    return respond


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
    producer.respond = refuse_bad_ones(producer)

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
    assert "did not answer: ConnectionRefusedError" in unescape(page.text)


def results(page: httpx.Response) -> list[tuple[str, str]]:
    """Each kind of a table with what the server answered, as read."""
    rows = re.findall(r'<th scope="row"><code>([^<]+)</code>.*?data-outcome="(\w+)"', page.text)
    return [(str(kind), str(outcome)) for kind, outcome in rows]


def test_a_group_is_sent_by_one_plain_form(chooser: Chooser, producer: Publisher) -> None:
    producer.respond = refuse_bad_ones(producer)

    page = chooser.send("", SEND, group="Issuer")

    assert "<h1>3 sent: 3 answered right, 0 wrong</h1>" in page.text
    assert results(page) == [("iss-other", "good"), ("iss-longer", "good"), ("iss-missing", "good")]
    assert len(producer.asked) == 6
    assert not any(token(asked) in page.text for asked in producer.asked)


def test_a_group_says_what_cannot_be_made_and_sends_the_rest(chooser: Chooser, producer: Publisher) -> None:
    page = chooser.send("", SEND, group="Ended")

    assert ("address-blocked", "none") in results(page)
    assert ("revoked", "off") in results(page)
    assert ("superseded", "bad") in results(page)
    assert "<h1>7 sent: 0 answered right, 6 wrong</h1>" in page.text


def test_a_server_that_does_not_answer_is_not_asked_for_ever(
    chooser: Chooser, producer: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer.stop()
    tries: list[Kind] = []
    really = trial_group.try_one

    def counting(form: TokenForm, kind: Kind) -> trial_group.Attempt:
        tries.append(kind)
        return really(form, kind)

    monkeypatch.setattr(trial_group, "try_one", counting)

    page = chooser.send("", SEND, group="Lifetime")

    assert len(tries) == trial_group.MOST_UNANSWERED
    assert [outcome for _, outcome in results(page)] == ["unanswered"] * 3 + ["none"] * 7


def test_an_unknown_group_and_a_form_that_asks_for_nobody_are_sentences(chooser: Chooser, producer: Publisher) -> None:
    assert "There is no such group." in chooser.send("", SEND, group="unheard-of").text
    assert "may act for: amy" in unescape(chooser.send("", SEND, group="Issuer", patient="ben").text)


def test_the_list_says_what_the_server_answered_the_last_time(chooser: Chooser, producer: Publisher) -> None:
    chooser.send("aud-longer", SEND)
    producer.asked.clear()
    producer.respond = refuse_bad_ones(producer)
    chooser.send("expired", SEND)
    base = quote(chooser.client.fhir_servers.get().base, safe="")

    page = chooser.visitor.request("GET", f"/dev/tokens?aud={base}")
    wrong = chooser.visitor.request("GET", f"/dev/tokens?aud={base}&result=wrong")

    assert results(page) == [("expired", "good"), ("aud-longer", "bad")]
    assert "1 answered right, 1 wrong." in page.text
    assert re.findall(r'<details class="group" id="g-([a-z-]+)" open>', page.text) == ["lifetime", "audience"]
    assert re.findall(r'<tr data-kind="([^"]+)"', wrong.text) == ["aud-longer"]
    assert 'aria-current="true" href="/dev/tokens?result=wrong&amp;aud=' in wrong.text


def test_one_kind_for_the_script_is_the_cell_of_its_row(chooser: Chooser, producer: Publisher) -> None:
    cell = chooser.send("aud-longer", SEND, cell="1")

    assert cell.text.startswith('<span class="tag tag-bad" data-outcome="bad">')
    assert cell.text.endswith("200, let in</span>")
    assert chooser.send("aud-longer", SEND, cell="1", patient="ben").status_code == 422


def test_a_server_that_was_fooled_is_told_why_and_whether_it_asked(
    chooser: Chooser, producer: Publisher, make_resource_server: MakeResourceServer, app: App
) -> None:
    caller = make_resource_server(chooser.client.fhir_servers.get())

    def ask_and_let_in(request: BaseHTTPRequestHandler) -> None:
        app.post("/o/introspect", data={"token": token(producer.asked[-1])}, headers=basic(caller.client_id, SECRET))
        request.send_response(200)
        request.end_headers()

    alone = unescape(chooser.send("expired", SEND).text)
    producer.respond = ask_and_let_in
    asking = unescape(chooser.send("expired", SEND).text)

    assert 'No <span class="hint">so it reads the JWT itself</span>' in alone
    assert "They check the signature and forget the time" in alone
    assert 'Yes <span class="hint">and was told that the token is not active</span>' in asking
    assert "told what the token says" in unescape(chooser.send("aud-longer", SEND).text)


def test_a_form_of_another_site_sends_nothing(chooser: Chooser, producer: Publisher) -> None:
    body = urlencode({"client": chooser.client.client_id, "user": chooser.person.username, "kind": "expired"})

    assert chooser.visitor.request("POST", SEND, content=body, headers=FORM).status_code == 403
    assert producer.asked == []
