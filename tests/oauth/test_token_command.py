"""`manage.py token`: a token without the browser, in development only, after the same limits as a launch."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from smartauth_probe.catalogue import kinds
from tests.conftest import BASE
from tests.fixture_types import Events, Introspect, MakeClient, MakePerson


def token(client: Any, person: Any, *options: str) -> str:
    printed = StringIO()
    call_command(
        "token", "--client", client.client_id, "--user", person.username, *options, stdout=printed, no_color=True
    )
    return printed.getvalue()


def test_it_prints_a_token_that_is_alive_and_nothing_else(
    make_client: MakeClient, make_person: MakePerson, introspect: Introspect
) -> None:
    printed = token(make_client(), make_person("amy"), "--scope", "patient/Patient.r system/*.rs")

    claims = introspect(printed.removesuffix("\n"))
    assert printed.count("\n") == 1
    assert claims["active"] is True
    assert (claims["patient"], claims["aud"], claims["scope"]) == ("amy", BASE, "patient/Patient.r")


def alone(client: Any, *options: str) -> str:
    """What is printed for a backend service, where no person is named."""
    printed = StringIO()
    call_command("token", "--client", client.client_id, *options, stdout=printed, no_color=True)
    return printed.getvalue().strip()


@pytest.fixture
def service(make_client: MakeClient) -> Any:
    return make_client("keys", grants="client_credentials", redirect_uris="", scope="system/*.rs system/Patient.c")


def test_a_backend_service_gets_one_without_a_person(service: Any, introspect: Introspect, events: Events) -> None:
    narrow = introspect(alone(service, "--scope", "system/Patient.r user/*.rs"))
    whole = introspect(alone(service))

    assert (narrow["scope"], narrow["sub"]) == ("system/Patient.r", service.client_id)
    assert whole["scope"] == service.scope
    assert [event.person for event in events("granted-by-command", client=service.client_id)] == ["", ""]
    assert service.authorizations.count() == 1


@pytest.mark.parametrize(
    ("fields", "options", "says"),
    [
        pytest.param({"grants": "authorization_code"}, [], "Say --user", id="an app that people use"),
        pytest.param({"authentication": "secret"}, [], "unauthorized_client", id="a secret, which is not switched on"),
        pytest.param({}, ["--scope", "patient/*.rs"], "invalid_scope", id="nothing grantable"),
        pytest.param({}, ["--aud", "https://other.example.org/fhir"], "invalid_request", id="a base out of reach"),
    ],
)
def test_the_limits_of_client_credentials_hold(
    service: Any, fields: dict[str, str], options: list[str], says: str
) -> None:
    type(service).objects.filter(pk=service.pk).update(**fields)

    with pytest.raises(CommandError, match=says):
        alone(service, *options)

    assert service.authorizations.count() == 0


def test_it_is_recorded(make_client: MakeClient, make_person: MakePerson, events: Events) -> None:
    client = make_client()

    token(client, make_person("amy"))

    for kind in ("granted-by-command", "issued"):
        (event,) = events(kind, client=client.client_id)
        assert (event.patient, event.fhir_server) == ("amy", BASE)


@pytest.mark.requirement("SD-03")
def test_it_supersedes_like_a_launch(make_client: MakeClient, make_person: MakePerson, introspect: Introspect) -> None:
    client, person = make_client(), make_person("amy")

    first, second = token(client, person).strip(), token(client, person).strip()

    assert introspect(first) == {"active": False}
    assert introspect(second)["active"] is True


def test_outside_development_it_gives_nothing_away(
    make_client: MakeClient, make_person: MakePerson, settings: Any, events: Events
) -> None:
    client = make_client()
    settings.SMARTAUTH_DEV = False

    with pytest.raises(CommandError, match="development only"):
        token(client, make_person("amy"))

    assert client.authorizations.count() == 0
    assert events("granted-by-command", client=client.client_id) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--patient", "ben"], "one that .* may act for: amy", id="a patient they may not act for"),
        pytest.param(["--patient", "amy", "--scope", "system/*.rs"], "None of these scopes", id="nothing grantable"),
        pytest.param(["--aud", "https://other.example.org/fhir"], "one of the bases", id="a base out of reach"),
    ],
)
def test_the_limits_of_a_launch_hold(
    make_client: MakeClient, make_person: MakePerson, options: list[str], says: str
) -> None:
    client = make_client()

    with pytest.raises(CommandError, match=says):
        token(client, make_person("amy"), *options)

    assert client.authorizations.count() == 0


def test_unknown_and_ended_clients_and_people_are_named(make_client: MakeClient, make_person: MakePerson) -> None:
    disabled, stopped = make_client(enabled=0), make_person("amy")
    stopped.suspended_at = 1
    stopped.save()

    with pytest.raises(CommandError, match="No client that is enabled"):
        token(disabled, make_person("amy"))
    with pytest.raises(CommandError, match="Nobody who may sign in"):
        token(make_client(), stopped)


def test_a_bad_token_is_printed_and_nothing_else(
    make_client: MakeClient, make_person: MakePerson, introspect: Introspect
) -> None:
    client, person = make_client(), make_person("amy")

    expired, lying = (token(client, person, "--bad", kind) for kind in ("expired", "scope-order"))

    assert expired.count("\n") == lying.count("\n") == 1
    assert introspect(expired.strip()) == {"active": False}
    assert introspect(lying.strip())["scope"] == "patient/Patient.sr"


def test_claims_are_given_as_json(make_client: MakeClient, make_person: MakePerson, introspect: Introspect) -> None:
    options = ["--claim", 'acr="2"', "--claim", "amr=[1]", "--without", "patient", "--lifetime", "60"]

    claims = introspect(token(make_client(), make_person("amy"), *options).strip())

    assert (claims["acr"], claims["amr"], "patient" in claims) == ("2", [1], False)
    assert claims["exp"] - claims["iat"] == 60


def test_the_whole_answer_says_how_a_bad_token_is_sent(make_client: MakeClient, make_person: MakePerson) -> None:
    answer = json.loads(token(make_client(), make_person("amy"), "--bad", "cookie", "--json"))

    assert answer["bad"]["id"] == "XT-988"
    assert answer["request"]["headers"] == [["Cookie", f"access_token={answer['access_token']}"]]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--bad", "unheard-of"], "Say --bad: There is no kind unheard-of", id="unknown kind"),
        pytest.param(["--claim", "acr"], "Say --claim: acr is not NAME=JSON", id="no value"),
        pytest.param(["--claim", "acr=two"], "acr=two is not NAME=JSON; a text as JSON has quotes", id="no JSON"),
        pytest.param(["--lifetime", "0"], "Say --lifetime: It takes a number of seconds", id="no life"),
        pytest.param(["--bad", "address-blocked"], "cannot be made here", id="a kind that needs a policy"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(
    make_client: MakeClient, make_person: MakePerson, options: list[str], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        token(make_client(), make_person("amy"), *options)


def test_all_kinds_are_listed(committed: None) -> None:
    printed = StringIO()

    call_command("token", "--list", stdout=printed, no_color=True)

    lines = [line.split() for line in printed.getvalue().splitlines() if line.startswith("  ")]
    assert {line[0] for line in lines} == set(kinds())
