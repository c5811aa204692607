"""`/dev/tokens`: tokens as they are asked for, what introspection says of them, and what is written down."""

import re
import secrets
from typing import Any

import pytest

from oauth.models import AccessToken, ActsFor, FhirIdentity, FhirServer, PatientRecord
from oauth.workbench.minting.good_token import CannotMint
from oauth.workbench.orders.members import create_from_members
from smart.digests import sha256_hex
from smartauth_probe.catalogue import groups, kinds
from tests.conftest import BASE, SECRET, App, basic
from tests.fixture_types import Events, Introspect, MakeClient, MakePerson, MakeResourceServer
from tests.oauth.workbench.conftest import Asker

pytestmark = pytest.mark.one_engine


def test_a_good_token_is_what_a_launch_gives(asker: Asker, introspect: Introspect, events: Events) -> None:
    answer = asker.get(scope="patient/Patient.rs system/*.rs")

    claims = introspect(answer["access_token"])
    assert claims["active"] is True
    assert (claims["patient"], claims["aud"], claims["scope"]) == ("amy", BASE, "patient/Patient.rs")
    assert answer["request"]["headers"] == [["Authorization", f"Bearer {answer['access_token']}"]]
    assert (answer["request"]["base"], answer["request"]["path"]) == (BASE, "Patient/amy")
    (event,) = events("granted-by-command", client=asker.client.client_id)
    assert (event.person, event.patient) == (asker.person.subject, "amy")


def test_a_bad_token_ends_no_good_one(asker: Asker, introspect: Introspect) -> None:
    good = asker.get()["access_token"]

    for kind in ("expired", "superseded", "person-ended", "client-ended", "client-disabled", "signature-bit"):
        bad = asker.get(bad=kind)["access_token"]
        assert introspect(bad) == {"active": False}

    assert introspect(good)["active"] is True
    asker.client.refresh_from_db()
    assert (asker.client.enabled, asker.client.epoch) == (1, 0)


def test_an_answer_about_a_bad_token_says_what_the_catalogue_says(asker: Asker) -> None:
    answer = asker.get(bad="two-headers")

    assert answer["bad"] == kinds()["two-headers"].as_json()
    assert answer["request"]["headers"] == [["Authorization", f"Bearer {answer['access_token']}"]] * 2


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("aud-longer", "aud", f"{BASE}-other"),
        ("scope-case", "scope", "Patient/patient.RS"),
        ("patient-null", "patient", None),
        ("active-text", "active", "true"),
        ("good-aud-slash", "aud", f"{BASE}/"),
    ],
)
def test_introspection_says_what_is_wrong(
    asker: Asker, introspect: Introspect, kind: str, name: str, said: object
) -> None:
    assert introspect(asker.get(bad=kind)["access_token"])[name] == said


def test_claims_are_set_and_taken_away_in_the_token_and_in_the_answer(asker: Asker, introspect: Introspect) -> None:
    answer = asker.get(claims={"acr": "2", "patient": "ben"}, without=["scope"], header={"typ": "JWT"}, lifetime=60)

    claims = introspect(answer["access_token"])
    assert (claims["acr"], claims["patient"], "scope" in claims) == ("2", "ben", False)
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 60


def test_a_jti_that_is_asked_for_is_the_one_that_the_row_knows(asker: Asker) -> None:
    jti = secrets.token_hex(8)

    token = asker.get(claims={"jti": jti})["access_token"]
    again = asker.post(claims={"jti": jti})

    assert AccessToken.objects.get(jti=jti).digest == sha256_hex(token)
    assert (again.status_code, "there is a token with this jti already" in again.text) == (400, True)


@pytest.mark.parametrize("jti", [1, None, "", "a\0b", "x" * 501, "\ud800"], ids=ascii)
def test_a_jti_that_no_row_can_hold_is_in_the_token_alone(asker: Asker, introspect: Introspect, jti: object) -> None:
    token = asker.get(claims={"jti": jti})["access_token"]

    assert introspect(token)["active"] is True
    assert AccessToken.objects.get(digest=sha256_hex(token)).jti not in {jti, None}


def test_no_door_gives_tokens_away_outside_development(settings: Any) -> None:
    settings.SMARTAUTH_DEV = False

    with pytest.raises(CannotMint, match="in development only"):
        create_from_members({"client": "demo-public", "user": "amy"})


def test_every_minting_is_an_event_that_does_not_hold_the_token(asker: Asker, events: Events) -> None:
    made = [asker.get(bad="expired"), asker.get(bad="alg-none"), asker.get(claims={"acr": "2"})]

    written = events("token-minted", client=asker.client.client_id)
    assert [event.reason for event in written] == ["expired", "alg-none", "own claims"]
    assert {event.person for event in written} == {asker.person.subject}
    assert [bool(event.token) for event in written] == [True, False, True]  # introspection knows two of them
    for answer in made:
        assert not any(answer["access_token"] in str(vars(event)) for event in written)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        pytest.param({"bad": "unheard-of"}, r"no kind unheard-of\. All .* by /dev/tokens/kinds", id="unknown kind"),
        pytest.param({"bad": "expire"}, r"bad: There is no kind expire; near it are expired\. All", id="misspelt kind"),
        pytest.param({"bad": "expired", "claims": {"a": 1}}, "bad: A bad token is wrong in one way", id="bad and more"),
        pytest.param({"claims": ["a"]}, "claims: It takes a JSON object", id="claims that are none"),
        pytest.param({"without": "scope"}, "without: It takes a list", id="no list"),
        pytest.param({"lifetime": 0}, "lifetime: It takes a number of seconds from 1 to 315360000", id="no life"),
        pytest.param({"lifetime": True}, "lifetime: It takes a number", id="a truth value"),
        pytest.param({"client": None}, "client is missing", id="no client"),
        pytest.param({"client": "nobody"}, "client: No client that is enabled has the id nobody", id="unknown client"),
        pytest.param({"user": "nobody"}, "user: Nobody who may sign in is called nobody", id="unknown person"),
        pytest.param(
            {"user": None, "bad": "expired"}, "user: .* asks for people, not for itself", id="bad without a person"
        ),
        pytest.param({"patient": "ben"}, "patient: It takes one that .* may act for: amy", id="another's patient"),
        pytest.param({"colour": "red"}, "colour is not known here", id="unknown member"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence_and_nothing_is_written(
    asker: Asker, events: Events, members: dict[str, Any], says: str
) -> None:
    response = asker.post(**members)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert re.search(says, response.json()["error_description"])
    assert asker.client.authorizations.count() == 0
    assert events("token-minted", client=asker.client.client_id) == []


def test_a_kind_that_cannot_be_made_for_this_client_is_told_apart(asker: Asker, events: Events) -> None:
    """A test of somebody's own skips it, and fails for every other refusal."""
    response = asker.post(bad="address-blocked")

    assert (response.status_code, response.json()["error"]) == (400, "cannot_mint")
    assert "address policy block" in response.json()["error_description"]
    assert asker.client.authorizations.count() == 0
    assert events("token-minted", client=asker.client.client_id) == []


def test_an_opaque_token_can_be_as_bad(asker: Asker, make_resource_server: MakeResourceServer) -> None:
    """Introspection lies about it as about a JWT; what a header or signature would say cannot be made."""
    base = f"https://{asker.client.client_id}.example.org/fhir"
    server = FhirServer.objects.create(base=base, name="Opaque", token_format="opaque")
    asker.client.fhir_servers.set([server])
    FhirIdentity.objects.filter(user=asker.person).update(fhir_server=server)
    PatientRecord.objects.create(fhir_server=server, patient="amy", name="Amy")
    ActsFor.objects.filter(identity__user=asker.person).update(record=PatientRecord.objects.get(fhir_server=server))
    caller = make_resource_server(server)

    token = asker.get(bad="aud-longer")["access_token"]

    said = asker.app.post("/o/introspect", data={"token": token}, headers=basic(caller.client_id, SECRET)).json()
    assert ("." in token, said["active"], said["aud"]) == (False, True, f"{base}-other")
    assert "an opaque token has no header" in asker.post(bad="alg-none").json()["error_description"]
    assert "an opaque token has no header" in asker.post(header={"typ": "JWT"}).json()["error_description"]


def test_a_token_whose_copy_was_changed_is_the_one_that_introspection_ends(
    asker: Asker, introspect: Introspect, events: Events
) -> None:
    """The attacker of `payload-changed` has a real token; showing the copy ends it (SD-07)."""
    bad = asker.get(bad="payload-changed")["access_token"]
    original = AccessToken.objects.filter(authorization__client=asker.client).get()

    assert introspect(bad) == {"active": False}

    original.refresh_from_db()
    assert original.revoked_for == "tampered"
    assert len(events("tampered", client=asker.client.client_id)) == 1


def test_the_catalogue_is_told_in_its_groups(app: App) -> None:
    told = app.get("/dev/tokens/kinds").json()["groups"]

    assert [(group["title"], len(group["kinds"])) for group in told] == [
        (group.title, len(group.kinds)) for group in groups()
    ]
    assert told[0]["kinds"][0] == kinds()["expired"].as_json()


def test_only_post_makes_a_token(app: App) -> None:
    assert app.request("PUT", "/dev/tokens").status_code == 405


def test_a_good_token_may_be_for_no_patient(app: App, make_client: MakeClient, make_person: MakePerson) -> None:
    asker = Asker(app, make_client(scope="user/*.rs patient/*.rs launch/patient"), make_person("amy"))

    made = asker.get(patient="")

    assert (made["scope"], "patient" in made, made["request"]["path"]) == ("user/*.rs", False, "Patient")
    assert "Without a patient" in asker.post(patient="", scope="patient/*.rs").text
    assert "made for a patient" in asker.post(patient="", bad="expired").text
