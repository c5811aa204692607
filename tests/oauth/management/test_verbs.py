"""What commands take is declared once; the declaration knows what models and rules know."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from oauth.management.verb import Argument, Verb, WholeNumber
from oauth.management.verbs.registration import ADD_CLIENT, ADD_FHIR_SERVER
from oauth.models import Client, FhirServer
from oauth.models.servers import AddressPolicy, ClaimProfile

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(
    ("verb", "name", "known"),
    [
        (ADD_CLIENT, "--authentication", Client.Authentication.values),
        (ADD_FHIR_SERVER, "--version", FhirServer.Version.values),
        (ADD_FHIR_SERVER, "--policy", AddressPolicy.values),
        (ADD_FHIR_SERVER, "--claims", ClaimProfile.values),
    ],
)
def test_what_can_be_chosen_is_what_the_model_knows(verb: Verb, name: str, known: list[str]) -> None:
    (argument,) = [each for each in verb.arguments if each.name == name]

    assert set(argument.choices) == set(known)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("--port 1", {"port": 1}),
        ("--port 9", {"port": 9}),
        ("--port 0", None),
        ("--port 10", None),
        ("--port x", None),
        ("", {"port": 5}),
    ],
)
def test_a_number_is_read_within_its_bounds(given: str, read: dict[str, Any] | None) -> None:
    parser = CommandParser(called_from_command_line=False)
    Argument("--port", type=WholeNumber(1, 9), default=5).add_to(parser)

    try:
        found = vars(parser.parse_args(given.split()))
    except CommandError:
        found = None

    assert found == read


def test_an_algorithm_that_signs_nothing_here_is_refused() -> None:
    with pytest.raises(CommandError, match="ES256"):
        call_command("keys", "rotate", "--algorithm=ES999")
