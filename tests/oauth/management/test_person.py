"""`manage.py person add`: somebody who signs in, by the rules of the seed file."""

import io
import json
import secrets
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.fixture_types import Events, MakePerson

pytestmark = pytest.mark.usefixtures("committed")


def add(*arguments: str) -> Any:
    """What the command prints as JSON."""
    out = StringIO()
    call_command("person", "add", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def username() -> str:
    """A name that nobody has."""
    return f"zoe-{secrets.token_hex(6)}"


def test_somebody_who_acts_for_a_patient(
    username: str, fhir_server: Any, make_person: MakePerson, events: Events
) -> None:
    make_person("amy")  # the record is known

    added = add(username, "--fhir-server", fhir_server.base, "--fhir-user", "RelatedPerson/zoe", "--acts-for", "amy")

    assert added["identities"] == [{"fhir_server": fhir_server.base, "fhir_user": "RelatedPerson/zoe"}]
    assert (added["operator"], added["can_sign_in"]) == (False, False)
    assert [(each.operator, each.reason) for each in events("operator-added", person=added["sub"])] == [
        ("manage.py", "person")
    ]


def test_an_operator_whose_password_is_piped(username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough phrase\n"))

    added = add(username, "--operator", "--password")

    person = User.objects.get_queryset().get(username=username)
    assert added["operator"] is True
    assert person.is_superuser
    assert person.check_password("a long enough phrase")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fhir-user", "Patient/amy"], "belong together"),
        (["--email", "nope"], "email"),
        (["--fhir-server", "https://nobody.example.org", "--fhir-user", "Patient/amy"], "no FHIR server"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(username: str, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        add(username, *arguments)

    assert not User.objects.get_queryset().filter(username=username).exists()


def test_a_name_that_is_taken_is_refused(make_person: MakePerson) -> None:
    with pytest.raises(CommandError, match="already"):
        add(make_person().username)
