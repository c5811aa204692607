"""`manage.py fhir-server` and what stands behind it: one call protects a producer's own server."""

import json
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import clock
from oauth.clients import secrets as secrets_of_clients
from oauth.clients.secrets import rotate
from oauth.ending.selection import Actor
from oauth.models import Client, FhirServer, ResourceServerRole
from oauth.registration.fhir_servers import RegisteredFhirServer, register
from oauth.registration.problems import InvalidRegistration
from tests.conftest import App, basic
from tests.fixture_types import Events, Issue, MakeClient

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def base() -> str:
    """A base that nobody has protected yet."""
    return f"https://{secrets.token_hex(8)}.example.org/fhir"


def protect(base: str, *, name: str = "", clients: Iterable[Client] = (), **fields: Any) -> RegisteredFhirServer:
    """What the admin and the command do."""
    return register(FhirServer(base=base, name=name or base, **fields), Actor(now=clock.now()), clients=clients)


def fhir_server(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("fhir-server", *arguments, stdout=out)
    return out.getvalue()


def test_the_secret_that_was_drawn_introspects_tokens_of_that_base(
    app: App, issue: Issue, make_client: MakeClient, base: str
) -> None:
    done = protect(base)
    token = issue(make_client(), server=done.server)["access_token"]

    answer = app.post("/o/introspect", data={"token": token}, headers=basic(done.client.client_id, done.secret))

    assert answer.json()["active"] is True
    assert answer.json()["aud"] == base


def test_it_may_ask_about_no_other_base(app: App, issue: Issue, base: str) -> None:
    done = protect(base)
    token = issue()["access_token"]

    answer = app.post("/o/introspect", data={"token": token}, headers=basic(done.client.client_id, done.secret))

    assert answer.json() == {"active": False}


@pytest.mark.requirement("RG-07", "RG-08")
def test_id_and_secret_are_drawn_and_only_a_digest_is_kept(base: str) -> None:
    one, other = protect(base), protect(f"{base}/2")

    assert one.client.client_id != other.client.client_id
    assert one.secret != other.secret
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one.secret)
    kept = Client.objects.filter(pk=one.client.pk).values().get()
    assert not any(one.secret in str(value) for value in kept.values())


def test_a_second_call_changes_nothing_and_shows_no_secret(base: str, events: Events) -> None:
    first = protect(base, name="First")

    second = protect(f"{base}/", name="Second", version="stu3", address_policy="block")

    assert (second.added, second.secret, second.client) == (False, "", first.client)
    row = FhirServer.objects.get(base=base)
    assert (row.name, row.version, row.address_policy) == ("First", "r4", "flag")
    assert ResourceServerRole.objects.filter(fhir_server=row).count() == 1
    assert len(events("fhir-server-added", fhir_server=base)) == 1


def test_a_base_from_elsewhere_gets_the_client_that_is_missing(base: str) -> None:
    row = FhirServer.objects.create(base=base, name="From the admin")

    done = protect(base)

    assert (done.added, bool(done.secret)) == (False, True)
    assert ResourceServerRole.objects.get(fhir_server=row).client == done.client


def test_everything_that_was_added_is_in_the_trail(base: str, events: Events, make_client: MakeClient) -> None:
    app_client = make_client()

    done = protect(base, clients=[app_client])

    assert len(events("fhir-server-added", fhir_server=base)) == 1
    assert len(events("resource-server-added", fhir_server=base, client=done.client.client_id)) == 1
    assert len(events("fhir-server-opened", fhir_server=base, client=app_client.client_id)) == 1


def test_events_of_the_command_name_it_as_the_operator(base: str, events: Events, make_client: MakeClient) -> None:
    fhir_server("add", base, "--client", make_client().client_id)
    fhir_server("new-secret", base)

    for kind in ("fhir-server-added", "resource-server-added", "fhir-server-opened", "secret-rotated"):
        assert [event.operator for event in events(kind, fhir_server=base)] == ["manage.py"], kind


def test_an_unfit_base_writes_nothing() -> None:
    with pytest.raises(InvalidRegistration):
        protect("http://fhir.example.org/r4", name="Unfit Clinic")

    assert not FhirServer.objects.filter(base__contains="://fhir.example.org/r4").exists()
    assert not Client.objects.filter(name__contains="Unfit Clinic").exists()


def test_the_command_prints_a_call_that_works_as_it_stands(app: App, base: str) -> None:
    printed = fhir_server("add", base, "--name", "My server")

    line = next(line for line in printed.splitlines() if line.strip().startswith("curl") and "/o/introspect" in line)
    words = shlex.split(line.replace("$TOKEN", "x"))
    client_id, secret = words[words.index("-u") + 1].split(":")
    answer = app.post("/o/introspect", data={"token": "x"}, headers=basic(client_id, secret))
    assert (words[-1], answer.status_code, answer.json()) == (
        "http://127.0.0.1:8000/o/introspect", 200, {"active": False},
    )  # fmt: skip


def test_what_a_middleware_reads_is_printed_beside_the_call_as_a_shell_takes_it(base: str) -> None:
    text = fhir_server("add", base)

    lines = "\n".join(line for line in text.splitlines() if line.startswith("    export "))
    told = subprocess.run(["/bin/sh", "-c", f"{lines}\nenv"], capture_output=True, text=True, env={}).stdout.split()
    secret = text.partition("client secret  ")[2].partition("\n")[0]
    assert {f"FHIR_BASE={base}", f"CLIENT_SECRET={secret}"} <= set(told)
    assert "export" not in fhir_server("add", base)


@pytest.mark.requirement("DS-01")
def test_the_document_it_prints_is_the_one_that_it_points_at(app: App, base: str) -> None:
    printed = fhir_server("add", base)

    url = next(line for line in printed.splitlines() if "/o/smart-configuration?" in line).split("'")[1]
    document = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    assert app.get(url.removeprefix("http://127.0.0.1:8000")).json() == document


def test_apps_are_let_in_by_name_also_later(make_client: MakeClient, base: str) -> None:
    one, other = make_client().client_id, make_client().client_id
    fhir_server("add", base, "--client", one)

    printed = fhir_server("add", base, "--client", one, "--client", other)

    assert f"Clients that may ask for its tokens: {', '.join(sorted([one, other]))}." in printed


def test_an_unknown_app_is_named_and_nothing_is_written(base: str) -> None:
    with pytest.raises(CommandError, match="No client has the id nobody"):
        fhir_server("add", base, "--client", "nobody")

    assert not FhirServer.objects.filter(base=base).exists()


def test_a_bad_url_is_refused_with_the_reason() -> None:
    with pytest.raises(CommandError, match="cannot be protected: http is allowed on loopback only"):
        fhir_server("add", "http://fhir.example.org/r4")


def test_options_are_kept_with_the_row(base: str) -> None:
    fhir_server("add", base, "--name", "N", "--version", "dstu2", "--policy", "block", "--tells-addresses")

    row = FhirServer.objects.get(base=base)
    assert (row.name, row.version, row.address_policy) == ("N", "dstu2", "block")
    assert ResourceServerRole.objects.get(fhir_server=row).tells_addresses == 1


@pytest.mark.requirement("SD-17", "WF-19")
def test_it_is_told_in_whose_words_its_tokens_speak(base: str, tmp_path: Path) -> None:
    own = tmp_path / "claims.json"
    own.write_text('{"patient_id": {"from": "patient"}}\n', encoding="utf-8")

    fhir_server("add", base, "--claims", "node", "--v1-equivalents")
    fhir_server("add", f"{base}/2", "--claims", "custom", "--claim-mapping", str(own))

    row, other = FhirServer.objects.get(base=base), FhirServer.objects.get(base=f"{base}/2")
    assert (row.claim_profile, row.claim_mapping, row.v1_equivalents) == ("node", "", 1)
    assert (other.claim_profile, other.claim_mapping) == ("custom", '{"patient_id": {"from": "patient"}}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "--claim-mapping: not JSON", id="none"),
        pytest.param("{}", "--claim-mapping: must be a JSON object", id="empty"),
        pytest.param("missing", "cannot be read", id="no file"),
    ],
)
def test_a_wrong_claim_mapping_writes_nothing(base: str, tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "claims.json"
    if text == "{}":
        file.write_text(text, encoding="utf-8")
    options = ["--claim-mapping", str(file)] if text else []

    with pytest.raises(CommandError, match=message):
        fhir_server("add", base, "--claims", "custom", *options)

    assert not FhirServer.objects.filter(base=base).exists()


def test_a_shell_can_read_what_env_prints(base: str) -> None:
    printed = fhir_server("add", base, "--env")

    values = dict(line.removeprefix("export ").split("=", 1) for line in printed.splitlines())
    assert set(values) == {"FHIR_BASE", "INTROSPECT", "CLIENT_ID", "CLIENT_SECRET"}
    assert shlex.split(values["FHIR_BASE"]) == [base]


def test_env_has_no_secret_to_give_a_second_time(base: str) -> None:
    fhir_server("add", base)

    with pytest.raises(CommandError, match="shown when it was made"):
        fhir_server("add", base, "--env")


def test_the_list_tells_who_introspects_and_which_apps_come(make_client: MakeClient, base: str) -> None:
    client_id = make_client().client_id
    done = protect(base, name="Mine", clients=[Client.objects.get(client_id=client_id)])

    printed = fhir_server("list")

    assert f"{base} (r4, Mine): introspected by {done.client.client_id}, for {client_id}" in printed.splitlines()


@pytest.mark.requirement("RG-08")
def test_a_new_secret_is_drawn_where_there_is_one_and_both_work_for_a_while(app: App, base: str, events: Any) -> None:
    first = protect(base)

    printed = fhir_server("add", base, "--new-secret", "--env")

    values = dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in printed.splitlines())
    assert values["CLIENT_ID"] == first.client.client_id
    assert values["CLIENT_SECRET"] != first.secret
    for secret in (first.secret, values["CLIENT_SECRET"]):
        answer = app.post("/o/introspect", data={"token": "x"}, headers=basic(first.client.client_id, secret))
        assert answer.status_code == 200
    assert len(events("secret-rotated", fhir_server=base, client=first.client.client_id)) == 1
    assert "works for 24 more hours" in fhir_server("add", base, "--new-secret")


def test_a_client_with_keys_has_no_secret_to_renew(base: str, make_client: MakeClient) -> None:
    server = FhirServer.objects.create(base=base, name="By keys")
    ResourceServerRole.objects.create(client=make_client("keys"), fhir_server=server)

    with pytest.raises(CommandError, match=r"--new-secret: .* proves itself by keys and has no secret"):
        fhir_server("add", base, "--new-secret")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["BASE"], id="known already"),
        pytest.param(["http://fhir.example.org/r4"], id="refused"),
        pytest.param(["BASE", "--client", "nobody's"], id="unknown client"),
        pytest.param(["BASE", "--claims", "custom", "--claim-mapping", "/nowhere"], id="no mapping"),
    ],
)
def test_env_without_a_secret_is_a_line_that_says_so_and_fails(base: str, arguments: list[str]) -> None:
    protect(base)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("fhir-server", "add", *(base if one == "BASE" else one for one in arguments), "--env", stdout=out)

    done = subprocess.run(["/bin/sh", "-ec", out.getvalue()], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("smartauth: ")


@pytest.mark.requirement("RG-08")
def test_new_secret_draws_one_for_a_server_that_is_there_and_adds_none(base: str) -> None:
    with pytest.raises(CommandError, match="No FHIR server has the base"):
        fhir_server("new-secret", base)
    first = json.loads(fhir_server("add", base, "--json"))

    second = json.loads(fhir_server("new-secret", base, "--json"))

    assert (first["added"], second["added"]) == (True, False)
    assert second["client_id"] == first["client_id"]
    assert second["client_secret"] != first["client_secret"]
    assert [each["introspected_by"] for each in json.loads(fhir_server("list", "--json")) if each["base"] == base] == [
        [first["client_id"]]
    ]


@pytest.mark.requirement("RG-08")
@pytest.mark.parametrize("command", [["new-secret"], ["add", "--new-secret"]], ids=["new-secret", "add"])
def test_a_rotation_that_came_second_shows_no_secret_and_says_so(
    base: str, events: Events, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    first = protect(base)

    def come_second(client: Client, number: str, *, now: int) -> str:
        assert rotate(Client.objects.get(pk=client.pk), number, now=now)
        return rotate(client, number, now=now)

    monkeypatch.setattr(secrets_of_clients, "rotate", come_second)

    with pytest.raises(CommandError, match=r"Another rotation came first\. Nothing was written\."):
        fhir_server(command[0], base, *command[1:])

    assert events("secret-rotated", client=first.client.client_id) == []
