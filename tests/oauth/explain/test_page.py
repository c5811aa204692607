"""`/explain`: what a reference or a token is answered with, in development."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.fixture_types import MakeClient, MakePerson
from tests.oauth.visitor import FORM, Visitor, hidden_fields

pytestmark = pytest.mark.one_engine


def text_of(response: httpx.Response) -> str:
    """The words of the page from its verdict on, without the tags."""
    verdict = response.text.partition('<section id="verdict"')[2]
    assert verdict, response.text
    return " ".join(re.sub(r"<[^>]+>", " ", verdict).split())


def explain(visitor: Visitor, what: str, request: str = "") -> httpx.Response:
    page = visitor.request("GET", "/explain")
    body = {**hidden_fields(page), "what": what, "request": request}
    return visitor.request("POST", "/explain", data=body, headers=FORM)


def reference_in(page: httpx.Response) -> str:
    found = re.search(r"<dt>Error reference</dt><dd>([\w-]+)</dd>", page.text)
    assert found, page.text
    return found[1]


@pytest.mark.requirement("AZ-25")
def test_the_reference_of_a_page_is_answered_with_the_rule_what_was_sent_and_what_is_registered(
    visitor: Visitor, make_client: MakeClient
) -> None:
    client = make_client(redirect_uris="https://app.example/cb")
    stopped = visitor.ask(client, redirect_uri="https://app.example/CB?code=secret-of-the-app")

    page = explain(visitor, reference_in(stopped))

    assert page.status_code == 200
    assert "<title>Refused: redirect_uri is not one of those registered" in page.text
    shown = text_of(page)
    assert "AZ-05 E4" in shown
    assert "Presented https://app.example/CB Expected https://app.example/cb" in shown
    assert "Passed: redirect_uri is sent AZ-03" in shown
    assert "Not checked: scope is sent, in legal characters: not reached" in shown
    assert client.client_id in shown
    assert "secret-of-the-app" not in page.text


@pytest.mark.requirement("AZ-25")
def test_an_answer_is_kept_nowhere_takes_the_focus_and_leaves_the_field_empty(
    visitor: Visitor, make_client: MakeClient
) -> None:
    reference = reference_in(visitor.ask(make_client(), redirect_uri=None))

    page = explain(visitor, reference)

    assert page.headers["Cache-Control"] == "no-store"
    assert '<section id="verdict" aria-labelledby="h-verdict" tabindex="-1" autofocus>' in page.text
    assert re.search(r'<textarea id="what"[^>]*></textarea>', page.text)


@pytest.mark.requirement("AZ-25")
def test_the_address_that_an_error_names_opens(visitor: Visitor, make_client: MakeClient) -> None:
    response = visitor.ask(make_client(), aud="https://evil.example/fhir")
    found = re.search(r"error_uri=http%3A%2F%2F127.0.0.1%3A8000(%2Fexplain%2F[\w-]+)", response.headers["Location"])
    assert found

    page = visitor.request("GET", found[1].replace("%2F", "/"))

    assert page.status_code == 200
    assert "AZ-08" in text_of(page)
    assert "https://evil.example/fhir" in text_of(page)


@pytest.mark.requirement("AZ-25")
def test_a_page_that_waited_too_long_is_found_under_the_number_of_its_request(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    from oauth.models import PendingRequest

    client, person = make_client(), make_person("amy")
    page = visitor.reach_consent(client, person)
    PendingRequest.objects.filter(client=client).update(expires_at=1)

    shown = text_of(explain(visitor, reference_in(visitor.allow(page))))

    assert "AZ-20 E40 The request waited too long." in shown
    assert str(person) in shown


@pytest.mark.parametrize("reference", ["7F3K-29QD", "7f3k29qd"])
def test_of_an_unknown_reference_it_says_that_nothing_is_kept(visitor: Visitor, reference: str) -> None:
    shown = text_of(visitor.request("GET", f"/explain/{reference}"))

    assert "No event is kept under this reference." in shown


@pytest.mark.requirement("SB-04")
def test_an_address_with_a_token_in_it_repeats_it_nowhere(visitor: Visitor) -> None:
    page = visitor.request("GET", "/explain/eyJhbGciOiJFUzI1NiJ9.e30.secret")

    assert page.status_code == 404
    assert "Why was it refused?" in page.text
    assert "eyJhbGciOiJFUzI1NiJ9" not in page.text


def test_nothing_pasted_is_said_at_the_field(visitor: Visitor) -> None:
    page = explain(visitor, "  ")

    assert page.status_code == 422
    assert 'aria-describedby="what-hint what-error" aria-invalid="true" autofocus' in page.text


@pytest.mark.requirement("SB-04")
def test_operators_are_led_to_the_rows_and_nobody_else(
    visitor: Visitor, make_client: MakeClient, make_person: MakePerson
) -> None:
    reference = reference_in(visitor.ask(make_client(), redirect_uri=None))
    assert "/admin/oauth/client/" not in explain(visitor, reference).text
    operator: Any = make_person("amy")
    type(operator).objects.get_queryset().filter(pk=operator.pk).update(is_staff=True, is_superuser=True)
    visitor.sign_in(visitor.request("GET", "/login"), operator)

    assert "/admin/oauth/client/" in explain(visitor, reference).text


@pytest.mark.requirement("SD-27")
@pytest.mark.parametrize("request_line", ["", "GET /fhir/r4/Patient/amy", "GET \0", "\ud800 x"], ids=repr)
@pytest.mark.parametrize(
    "what",
    ["\0", "a\0b", "Ä" * 300, "a" * 20_000, "..", "eyJ9.eyJ9.e30", "\ud800", "7F3K\n29QD", "<script>"],
    ids=range(9),
)
def test_nothing_that_can_be_pasted_is_a_failure(visitor: Visitor, what: str, request_line: str) -> None:
    page = visitor.request("GET", "/explain")
    form = {**hidden_fields(page), "what": what, "request": request_line}
    body = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in form.items()})

    response = visitor.request("POST", "/explain", content=body, headers=FORM)

    assert response.status_code in (200, 422), response.text
    assert "<script>" not in response.text
