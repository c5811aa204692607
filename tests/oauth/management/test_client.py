"""`manage.py client`: one client from the command line, by the rules of the seed file, with the events of the admin."""

import json
import secrets
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from oauth.models import Client
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakeResourceServer

pytestmark = pytest.mark.usefixtures("committed")


def client(*arguments: str) -> Any:
    """What the command prints as JSON."""
    out = StringIO()
    call_command("client", *arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


@pytest.fixture
def client_id() -> str:
    """An id that nobody has."""
    return f"test-{secrets.token_hex(8)}"


@pytest.mark.requirement("RG-08")
def test_the_secret_that_was_drawn_is_shown_once_and_authenticates(
    app: App, client_id: str, fhir_server: Any, events: Events
) -> None:
    added = client(
        "add", client_id, "--name", "Growth Chart", "--authentication", "secret", "--scope", "patient/*.rs",
        "--fhir-server", fhir_server.base, "--redirect-uri", "https://app.example.org/cb",
    )  # fmt: skip

    form = {"grant_type": "authorization_code"}
    statuses = [
        app.post("/o/token", data=form, headers=basic(client_id, secret)).status_code
        for secret in (added["client_secret"], "wrong")
    ]

    assert statuses == [400, 401]
    assert added["client_secret"] not in json.dumps(client("list"))
    assert [(each.operator, each.reason) for each in events("operator-added", client=client_id)] == [
        ("manage.py", "client")
    ]


def test_what_the_seed_file_refuses_is_refused(client_id: str) -> None:
    with pytest.raises(CommandError, match=r"client\.redirect_uris\[0\]: nope: .* Nothing was written"):
        client("add", client_id, "--name", "App", "--redirect-uri", "nope")

    assert Client.of(client_id) is None


def test_a_client_that_is_there_stays_as_it_is(make_client: MakeClient) -> None:
    known = make_client()

    with pytest.raises(CommandError, match="is there already"):
        client("add", known.client_id, "--name", "Another")

    assert Client.objects.get(pk=known.pk).name == known.name


@pytest.mark.requirement("RG-08")
def test_a_rotated_secret_is_an_event_and_both_work(
    app: App, make_resource_server: MakeResourceServer, events: Events
) -> None:
    known = make_resource_server()

    rotated = client("rotate-secret", known.client_id)

    for secret in (SECRET, rotated["client_secret"]):
        answer = app.post("/o/introspect", data={"token": "any"}, headers=basic(known.client_id, secret))
        assert answer.json() == {"active": False}
    assert [each.operator for each in events("secret-rotated", client=known.client_id)] == ["manage.py"]


def test_without_a_secret_there_is_nothing_to_rotate(make_client: MakeClient) -> None:
    with pytest.raises(CommandError, match="has no secret"):
        client("rotate-secret", make_client().client_id)


@pytest.mark.requirement("RV-08")
def test_disabling_ends_all_access_and_enabling_brings_none_back(
    issue: Issue, introspect: Introspect, events: Events
) -> None:
    issued = issue()
    known = issued["granted"].client

    disabled = client("disable", known.client_id)
    dead = introspect(issued["access_token"])
    enabled = client("enable", known.client_id)

    assert disabled["enabled"] is False
    assert disabled["ended"] == {"authorizations": 1, "access_tokens": 1}
    assert dead == introspect(issued["access_token"]) == {"active": False}
    assert enabled["enabled"] is True
    assert [each.operator for each in events("client-disabled", client=known.client_id)] == ["manage.py"]
    assert [each.operator for each in events("client-enabled", client=known.client_id)] == ["manage.py"]


@pytest.mark.parametrize("action", ["rotate-secret", "disable", "enable"])
def test_a_client_that_nobody_knows_is_named(action: str) -> None:
    with pytest.raises(CommandError, match=r"No client has the id nobody\."):
        client(action, "nobody")


def test_the_lines_say_who_is_disabled(make_client: MakeClient) -> None:
    known = make_client(enabled=0)
    out = StringIO()

    call_command("client", "list", stdout=out)

    assert f"{known.client_id} (Growth Chart): none, authorization_code, DISABLED\n" in out.getvalue()
