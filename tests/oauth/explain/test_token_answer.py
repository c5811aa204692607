"""What the page says of a pasted token: alive, dead, refused, changed, not ours, neither; and never the token."""

import re

import pytest

from audit.models import OutboxEvent
from oauth.explain.references import find_refusal
from oauth.models import AccessToken, public_reference
from smart.digests import sha256_hex
from tests.fixture_types import Issue
from tests.oauth.explain.test_judgement import changed, part
from tests.oauth.explain.test_page import explain, text_of
from tests.oauth.visitor import Visitor
from tests.oauth.workbench.conftest import Asker

REQUEST = "GET /fhir/r4/Patient/amy"


def title(text: str) -> str:
    found = re.search(r"<title>(.*) - smartauth</title>", text)
    assert found, text
    return found[1]


def row_of(token: str) -> AccessToken:
    return AccessToken.objects.get(digest=sha256_hex(token))


def test_a_live_token_is_said_to_be_alive_and_what_it_belongs_to(visitor: Visitor, issue: Issue) -> None:
    answer = issue()

    page = explain(visitor, answer["access_token"])

    assert title(page.text).startswith("Alive: ")
    shown = text_of(page)
    assert f"Token {public_reference(row_of(answer['access_token']).pk)} is alive" in shown
    assert answer["granted"].client.client_id in shown
    assert "Passed: Not expired" in shown


def test_the_number_of_a_token_explains_it_as_well(visitor: Visitor, issue: Issue) -> None:
    # a refused request of another test may have the number of a token, and goes first
    numbers = (public_reference(row_of(issue()["access_token"]).pk) for _ in range(1000))
    number = next(number for number in numbers if find_refusal(number) is None)

    page = visitor.request("GET", f"/explain/{number}")

    assert title(page.text).startswith("Alive: ")
    assert f"Token {number} is alive" in text_of(page)


@pytest.mark.parametrize(
    ("scope", "asked", "expected", "said"),
    [
        ("patient/Patient.rs", REQUEST, "Alive, and this request is let in: ", "HTTP/1.1 200 OK"),
        ("patient/Observation.rs", REQUEST, "Alive, but this request is refused: 403", "HTTP/1.1 403 Forbidden"),
        ("patient/Patient.rs", "GET /fhir/r4/Patient/ben", "Alive, but this request is refused: 404", "PC-02"),
    ],
    ids=["let in", "no scope", "another record"],
)
def test_a_request_with_it_is_judged_too(
    visitor: Visitor, issue: Issue, scope: str, asked: str, expected: str, said: str
) -> None:
    answer = issue(scope=scope)

    page = explain(visitor, answer["access_token"], asked)

    assert title(page.text).startswith(expected)
    assert said in text_of(page)
    assert f'value="{asked}"' in page.text


@pytest.mark.requirement("AZ-25")
def test_a_dead_token_is_explained_by_what_ended_it_first(visitor: Visitor, issue: Issue) -> None:
    answer = issue()
    issue(answer["granted"].client, answer["granted"].person)

    page = explain(visitor, answer["access_token"])

    assert title(page.text) == "Dead: a newer token took its place"
    shown = text_of(page)
    assert "Refused: No newer token has taken its place LV-09" in shown
    assert "{&quot;active&quot;: false}" in shown
    assert "In the app: keep only the token of the last answer." in shown


@pytest.mark.requirement("AZ-25", "SD-07")
def test_a_changed_token_is_shown_beside_what_was_issued_and_ends_nothing(visitor: Visitor, issue: Issue) -> None:
    token = issue()["access_token"]
    before, events = AccessToken.objects.values().get(pk=row_of(token).pk), OutboxEvent.objects.count()

    page = explain(visitor, changed(token, patient="ben"))

    assert title(page.text) == "Changed: not as we issued it"
    assert "patient &quot;ben&quot;" in text_of(page)
    assert "The real token is as it was" in text_of(page)
    assert AccessToken.objects.values().get(pk=row_of(token).pk) == before
    assert OutboxEvent.objects.count() == events


def test_what_a_test_token_says_stands_before_what_was_granted(visitor: Visitor, asker: Asker) -> None:
    token = asker.get(claims={"patient": "ben"}, without=["aud"])["access_token"]

    shown = text_of(explain(visitor, token))

    assert "Patient in context ben; granted: amy" in shown
    assert "FHIR server (aud) no aud; granted: http" in shown
    assert f"Client {asker.client.client_id} Person" in shown


def test_a_forged_token_is_not_said_to_come_from_elsewhere(visitor: Visitor, asker: Asker) -> None:
    page = explain(visitor, asker.get(bad="alg-none")["access_token"])

    assert title(page.text) == "Not ours: we issued no such token"
    shown = text_of(page)
    assert "It names us as its issuer, but is unsigned." in shown
    assert "It says that it comes from" not in shown
    assert "Ask those who issued it" not in shown


def test_a_token_of_others_is_named_as_text_and_led_nowhere(visitor: Visitor) -> None:
    foreign = f"{part({'alg': 'ES256'})}.{part({'iss': 'https://evil.example/<b>', 'jti': 'x'})}.{'A' * 86}"

    page = explain(visitor, foreign)

    assert title(page.text) == "Not ours: we issued no such token"
    assert "It says that it comes from https://evil.example/&lt;b&gt;" in text_of(page)
    assert 'href="https://evil.example' not in page.text


def test_what_is_neither_is_told_so(visitor: Visitor) -> None:
    assert title(explain(visitor, "not a token!").text) == "Neither an access token nor a reference"


def test_a_request_that_cannot_be_read_is_said_at_its_field(visitor: Visitor, issue: Issue) -> None:
    page = explain(visitor, issue()["access_token"], "Patient")

    assert page.status_code == 422
    assert 'aria-describedby="request-error" aria-invalid="true" autofocus' in page.text


@pytest.mark.requirement("SB-04")
@pytest.mark.parametrize("asked", ["", REQUEST, "nonsense"])
@pytest.mark.parametrize("is_changed", [False, True], ids=["as issued", "changed"])
def test_no_page_holds_the_token_or_a_part_that_is_secret(
    visitor: Visitor, issue: Issue, asked: str, is_changed: bool
) -> None:
    issued = issue()["access_token"]
    pasted = changed(issued, patient="ben") if is_changed else issued

    page = explain(visitor, pasted, asked)

    assert "Why was it refused?" in page.text
    row = row_of(issued)
    for secret in (*pasted.split("."), row.digest, row.jti):
        assert secret not in page.text
