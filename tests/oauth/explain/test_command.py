"""`manage.py explain`: by a reference or a token, for a reader and as JSON."""

import json
from collections import OrderedDict
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from oauth.explain.references import find_refusal
from oauth.http import explanations
from oauth.http.explanations import with_reference
from smart.explanation import Explanation
from tests.conftest import App, basic
from tests.fixture_types import Issue, MakeClient

READ_NOBODY = ("GET", "http://127.0.0.1:8000/fhir/r4/Patient/nobody")


def printed(*words: str) -> str:
    out = StringIO()
    call_command("explain", *words, stdout=out, no_color=True)
    return out.getvalue()


@pytest.mark.requirement("AZ-25")
def test_a_token_is_judged_with_the_request_and_never_printed(issue: Issue) -> None:
    token = issue(scope="patient/Patient.r")["access_token"]

    text = printed(token, "GET", "/fhir/r4/Observation/o-1")
    told = json.loads(printed(token, "GET", "/fhir/r4/Observation/o-1", "--json"))

    assert "verdict: request refused" in text
    assert "  REFUSED   TV-20  no scope of the token covers r of Observation" in text
    assert "\nnext: Ask for the scope when the app starts; the person must allow it.\n" in text
    assert told["next"][0] == "Ask for the scope when the app starts; the person must allow it."
    assert (told["verdict"], told["rule"], told["status"]) == ("request refused", "TV-20", 403)
    assert token not in text + json.dumps(told)


@pytest.mark.requirement("AZ-25")
def test_a_token_may_come_by_standard_input(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{issue()['access_token']}\n"))

    assert printed("-").startswith("verdict: alive\n")


@pytest.mark.requirement("AZ-25")
def test_of_a_live_token_it_says_that_a_request_may_be_added(issue: Issue) -> None:
    token = issue(scope="patient/*.rs")["access_token"]

    alone, asked = (json.loads(printed(token, *request, "--json")) for request in ((), READ_NOBODY))

    more = "Add the request that it was sent with, and it is judged too: manage.py explain TOKEN GET URL"
    assert alone["next"] == [more]
    assert more not in asked["next"]


def test_a_reference_leads_to_its_refusal(committed: None) -> None:
    kept = with_reference(Explanation("TK-08", "scope was sent twice", presented="two", case="E49"))

    told = json.loads(printed(kept.reference, "--json"))

    assert told == {
        "reference": kept.reference, "rule": "TK-08", "what": "scope was sent twice", "presented": "two",
        "case": "E49", "events": [], "next": [],
    }  # fmt: skip


@pytest.mark.requirement("AZ-25")
def test_a_wrong_secret_is_told_with_its_client_and_how_to_draw_another_one(app: App, make_client: MakeClient) -> None:
    client = make_client("secret")
    refused = app.post("/o/introspect", data={"token": "t"}, headers=basic(client.client_id, "not-it"))

    told = printed(refused.json()["error_uri"].rpartition("/")[2])

    assert f"presented: client_id {client.client_id}" in told
    assert "next: If it is lost, draw another one: `fhir-server new-secret URL`" in told
    assert "not-it" not in told


def test_a_line_without_a_value_is_left_out(issue: Issue) -> None:
    lines = printed(issue()["access_token"], "GET", "Patient").splitlines()

    assert "status: 200" in lines
    assert not [line for line in lines if line.endswith(": ")]


def number_of_a_token(issue: Issue) -> str:
    return str(json.loads(printed(issue()["access_token"], "--json"))["token"])


@pytest.mark.requirement("AZ-25")
def test_the_number_of_a_token_leads_to_its_judgement_as_on_the_page(issue: Issue) -> None:
    # a refused request of another test may have the number of a token, and goes first
    numbers = (number_of_a_token(issue) for _ in range(1000))
    number = next(number for number in numbers if find_refusal(number) is None)

    told = json.loads(printed(number, "--json"))

    assert (told["verdict"], told["token"]) == ("alive", number)


@pytest.mark.requirement("AZ-25")
def test_a_refused_request_and_a_token_of_one_number_are_both_told(
    issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = number_of_a_token(issue)
    refused = Explanation("AZ-13", "it waited too long", reference=number)
    monkeypatch.setattr(explanations, "_latest", OrderedDict({number: refused}))

    told = json.loads(printed(number, "--json"))

    assert (told["what"], told["token_of_this_number"]) == ("it waited too long", "alive")
    assert "\ntoken of this number: alive" in printed(number)


@pytest.mark.requirement("AZ-25")
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("2222-2222",), "Nothing is kept under 2222-2222. It may be mistyped"),
        (("",), "Nothing came. Give a token or a reference"),
        (("x", "Patient/amy"), "The request cannot be read: say a method and a URL"),
    ],
)
def test_what_cannot_be_explained_says_what_to_do(committed: None, words: Any, problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        printed(*words)
