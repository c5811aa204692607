"""`/dev/sign-in`: one click for the demo people, and for nobody else."""

from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.models import User
from oauth.demo import credentials
from tests.fixture_types import Events, MakePerson
from tests.oauth.visitor import FORM, PASSWORD, Visitor, hidden_fields


@pytest.fixture
def amy(make_person: MakePerson, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody of the seed, under a name that no other test has."""
    person = make_person("amy")
    monkeypatch.setattr(credentials, "PEOPLE", (person.username,))
    return person


def click(visitor: Visitor, name: str) -> str:
    """Where the click leads, from the home page."""
    body = urlencode({**hidden_fields(visitor.request("GET", "/login")), "as": name})
    answer = visitor.request("POST", "/dev/sign-in", content=body, headers=FORM)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_demo_person_is_in_and_that_is_an_event(visitor: Visitor, amy: Any, events: Events) -> None:
    assert click(visitor, amy.username) == "/"

    assert "Signed in as" in visitor.request("GET", "/").text
    event = events("login-succeeded", person=amy.subject)[-1]
    assert (event.address, event.reason) == (visitor.address, "one click, in development")


def test_nobody_else_is_let_in_by_a_click(visitor: Visitor, amy: Any, make_person: MakePerson) -> None:
    other = make_person("ben")  # has the same password, and is not of the seed
    assert click(visitor, other.username) == "/login"
    assert click(visitor, "nobody-here") == "/login"

    amy.set_password("a password of their own")
    amy.save()
    assert click(visitor, amy.username) == "/login"

    amy.set_password(PASSWORD)
    amy.save()
    User.objects.get_queryset().filter(pk=amy.pk).suspend("test")
    assert click(visitor, amy.username) == "/login"
    assert "Signed in as" not in visitor.request("GET", "/").text


def test_a_form_of_another_site_signs_nobody_in(visitor: Visitor, amy: Any) -> None:
    answer = visitor.request("POST", "/dev/sign-in", content=urlencode({"as": amy.username}), headers=FORM)

    assert answer.status_code == 403
    assert visitor.request("GET", "/dev/sign-in").status_code == 405
