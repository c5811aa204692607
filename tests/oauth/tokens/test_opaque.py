"""Opaque tokens, the other format of a FHIR server (AT-01): everything about them works as for JWTs."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from oauth.models import AccessToken
from smart.digests import sha256_hex
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer

SCOPE = "launch/patient offline_access patient/*.rs"
OPAQUE_BASE = "https://opaque.example.org/fhir"


@pytest.fixture
def opaque(committed: None) -> Any:
    """A FHIR server whose tokens are opaque."""
    from oauth.models import FhirServer

    known = {"name": "Opaque", "token_format": "opaque"}
    return FhirServer.objects.get_or_create(base=OPAQUE_BASE, defaults=known)[0]


@pytest.fixture
def launch(issue: Issue, make_client: MakeClient, make_person: MakePerson, opaque: Any) -> Issue:
    """The token answer of a launch there."""

    def make(client: Any = None, person: Any = None, **options: Any) -> dict[str, Any]:
        from oauth.models import ActsFor, FhirIdentity, PatientRecord

        client = client or make_client(grants="authorization_code refresh_token", scope=SCOPE)
        person = person or make_person("amy")
        client.fhir_servers.add(opaque)
        identity, _ = FhirIdentity.objects.get_or_create(user=person, fhir_server=opaque, resource="Patient/amy")
        record, _ = PatientRecord.objects.get_or_create(fhir_server=opaque, patient="amy")
        ActsFor.objects.get_or_create(identity=identity, record=record)
        return issue(client, person, server=opaque, **{"scope": SCOPE, **options})

    return make


@pytest.fixture
def introspect(app: App, make_resource_server: MakeResourceServer, opaque: Any) -> Introspect:
    """What the resource server of that base hears."""
    caller = make_resource_server(opaque)

    def ask(token: str) -> dict[str, Any]:
        answer: dict[str, Any] = app.post(
            "/o/introspect", data={"token": token}, headers=basic(caller.client_id, SECRET)
        ).json()
        return answer

    return ask


@pytest.mark.requirement("AT-01", "TK-05")
def test_an_opaque_token_says_nothing_and_only_its_digest_is_kept(launch: Issue) -> None:
    answer = launch()

    token = answer["access_token"]
    assert len(token) == 43
    assert "." not in token
    row = AccessToken.objects.get(digest=sha256_hex(token))
    assert (row.jti, row.signed_digest, row.signature_digest) == (None, "", "")
    assert (answer["token_type"], answer["expires_in"], answer["patient"]) == ("Bearer", 300, "amy")


@pytest.mark.requirement("AT-01", "IN-02", "IN-03")
def test_introspection_says_the_same_of_an_opaque_token_as_of_a_jwt(
    app: App,
    launch: Issue,
    introspect: Introspect,
    issue: Issue,
    make_resource_server: MakeResourceServer,
    make_client: MakeClient,
) -> None:
    made = launch()
    jwt = issue(make_client(grants="authorization_code refresh_token", scope=SCOPE), scope=SCOPE)

    told = introspect(made["access_token"])

    of_jwt = app.post(
        "/o/introspect",
        data={"token": jwt["access_token"]},
        headers=basic(make_resource_server().client_id, SECRET),
    ).json()
    assert told.keys() == of_jwt.keys()
    assert (told["active"], told["aud"], told["patient"], told["scope"]) == (True, OPAQUE_BASE, "amy", SCOPE)
    assert told["exp"] - told["iat"] == 300
    assert told["sub"] == made["granted"].person.subject


@pytest.mark.requirement("AT-03", "IN-06")
def test_another_bases_resource_server_hears_nothing(
    app: App, launch: Issue, make_resource_server: MakeResourceServer, fhir_server: Any
) -> None:
    made = launch()
    caller = make_resource_server(fhir_server)

    response = app.post("/o/introspect", data={"token": made["access_token"]}, headers=basic(caller.client_id, SECRET))

    assert response.json() == {"active": False}


@pytest.mark.requirement("AT-01", "TK-07")
def test_an_opaque_token_expires(launch: Issue, introspect: Introspect) -> None:
    made = launch()

    AccessToken.objects.filter(digest=sha256_hex(made["access_token"])).update(expires_at=clock.now())

    assert introspect(made["access_token"]) == {"active": False}


@pytest.mark.requirement("RV-01", "AT-01")
@pytest.mark.parametrize("by", ["client", "resource server"])
def test_an_opaque_token_is_revoked(
    app: App, launch: Issue, introspect: Introspect, make_resource_server: MakeResourceServer, opaque: Any, by: str
) -> None:
    made = launch()
    caller = make_resource_server(opaque)
    as_client = by == "client"
    who = {"client_id": made["granted"].client.client_id} if as_client else {}
    headers = {} if as_client else basic(caller.client_id, SECRET)

    response = app.post("/o/revoke", data={"token": made["access_token"], **who}, headers=headers)

    assert response.status_code == 200
    assert introspect(made["access_token"]) == {"active": False}


@pytest.mark.requirement("PR-01", "RF-06")
def test_an_opaque_token_is_superseded_by_the_next_launch_and_by_a_refresh(
    app: App, launch: Issue, introspect: Introspect
) -> None:
    first = launch()
    granted = first["granted"]
    second = launch(granted.client, granted.person)
    form = {"grant_type": "refresh_token", "refresh_token": second["refresh_token"]}

    third = app.post("/o/token", data=form).json()

    alive = [introspect(answer["access_token"])["active"] for answer in (first, second, third)]
    assert alive == [False, False, True]
    assert "." not in third["access_token"]


@pytest.mark.requirement("SD-07", "IN-06")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"), id="one character"),
        pytest.param(lambda token: token + "x", id="longer"),
        pytest.param(lambda token: token.swapcase(), id="other case"),
        pytest.param(lambda token: f"{token}.{token}.{token}", id="form of a JWT"),
    ],
)
def test_a_changed_opaque_token_is_only_unknown(
    launch: Issue, introspect: Introspect, events: Events, change: Callable[[str], str]
) -> None:
    made = launch()

    told = introspect(change(made["access_token"]))

    assert told == {"active": False}
    assert introspect(made["access_token"])["active"] is True
    client_id = made["granted"].client.client_id
    assert events("tampered", client=client_id) == events("tamper-suspected", client=client_id) == []


@pytest.mark.requirement("AT-01")
def test_changing_the_format_leaves_live_tokens_alive(launch: Issue, introspect: Introspect, opaque: Any) -> None:
    made = launch()
    type(opaque).objects.filter(pk=opaque.pk).update(token_format="jwt")
    jwt = launch()
    type(opaque).objects.filter(pk=opaque.pk).update(token_format="opaque")

    assert jwt["access_token"].count(".") == 2
    assert introspect(made["access_token"])["active"] is True
    assert introspect(jwt["access_token"])["active"] is True
