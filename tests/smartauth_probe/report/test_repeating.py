"""The command that a report gives to make one check again: it works as it stands, and holds no token."""

import shlex

import pytest

from smartauth_probe.command import parser
from smartauth_probe.development_server import DevelopmentServer
from smartauth_probe.report.repeating import Repeating, repeating
from smartauth_probe.tokens.development import DevelopmentTokens
from smartauth_probe.tokens.source import TokenSource
from tests.smartauth_probe.small_server import OpenTokens

pytestmark = pytest.mark.one_engine
URL = "http://127.0.0.1:9000/fhir"


def development(*, client: str = "demo-public", user: str = "amy", patient: str = "", port: int = 8000) -> TokenSource:
    server = DevelopmentServer(f"http://127.0.0.1:{port}")
    return DevelopmentTokens(server, client=client, user=user, aud=URL, patient=patient)


def of_command(source: TokenSource, *arguments: str) -> Repeating:
    return repeating("smartauth probe", URL, source, parser().parse_args([URL, *arguments]))


def test_what_is_as_usual_is_left_out() -> None:
    assert of_command(development()).probe == f"smartauth probe {URL}"


def test_an_app_a_person_patients_and_writes_of_ones_own_are_said_again() -> None:
    given = ["--client=my-app", "--user=eve", "--patients=eve,max", "--writes"]

    again = of_command(development(client="my-app", user="eve", patient="eve", port=8001), *given).probe

    told = "--authority http://127.0.0.1:8001 --client my-app --user eve --patients eve,max --writes"
    assert again == f"smartauth probe {URL} {told}"


def test_what_it_says_is_read_as_it_was_said() -> None:
    given = ["--client=my app", "--user=eve", "--patients=eve,max", "--aud=https://fhir.example", "--load", "--writes"]

    again = of_command(development(client="my app", user="eve", port=8001), *given).probe

    parts = parser().parse_args(shlex.split(again)[2:])
    assert vars(parts) == vars(parser().parse_args([URL, "--authority=http://127.0.0.1:8001", *given]))


def test_the_bounds_of_a_run_are_said_again() -> None:
    given = ["--per-second=0", "--most-requests=90", "--seconds=0.25", "--most-seconds=86400"]

    again = of_command(development(), *given).probe

    assert again == f"smartauth probe {URL} --per-second 0.0 --most-requests 90 --seconds 0.25 --most-seconds 86400.0"
    assert vars(parser().parse_args(shlex.split(again)[2:])) == vars(parser().parse_args([URL, *given]))


def test_a_token_that_was_handed_over_does_not_stand_in_it() -> None:
    given = ["--token-for=A=eyJ.secret", "--token-for=B=@ben.token", "--patients=amy,ben"]

    again = of_command(OpenTokens(), *given)

    assert again == Repeating(f"smartauth probe {URL} --patients amy,ben --token-for A=TOKEN --token-for B=@ben.token")


def test_a_run_without_a_command_names_the_app_whose_tokens_it_sent() -> None:
    again = repeating("smartauth probe", URL, development(client="demo-versions"))

    assert again.probe == f"smartauth probe {URL} --client demo-versions"


def test_such_a_token_is_ordered_for_the_same_person_and_patient() -> None:
    again = of_command(development(client="my-app", user="eve", patient="eve"), "--client=my-app", "--user=eve")

    assert again.token == f"smartauth token --client my-app --user eve --patient eve --aud {URL}"


def test_another_authorization_server_is_ordered_nothing_of() -> None:
    assert of_command(OpenTokens()).token == ""
