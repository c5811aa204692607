"""The seed file: what it brings, what it refuses, what it never touches again."""

import json
import secrets
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.models import OutboxEvent
from oauth.clients.secrets import client_secret_digest
from oauth.models import ActsFor, Client, FhirServer, PatientRecord
from oauth.seeding import SeedError, seed
from smart.tokens.claim_profiles import profiles

Write = Callable[[str], Path]

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


SMALL = """
fhir_servers:
  - base: https://NAME.example.org/fhir
    name: Example Hospital
    patients:
      - {id: p1, name: Ada One, birth_date: 2001-02-03, record_number: 007}
      - {id: p2}
people:
  - username: NAME
    name: Ada One
    password: correct horse battery
    identities:
      - fhir_server: https://NAME.example.org/fhir
        fhir_user: Patient/p1
        acts_for: [p1]
clients:
  - client_id: NAME-app
    name: An app
    authentication: none
    scope: launch/patient patient/*.rs
    fhir_servers: [https://NAME.example.org/fhir]
    redirect_uris: [https://app.example.org/cb]
  - client_id: NAME-server
    name: A FHIR server
    authentication: secret
    grants: []
    protects:
      - {fhir_server: https://NAME.example.org/fhir, tells_addresses: true}
"""


@pytest.fixture
def name() -> str:
    """Part of every name of a test's rows, so that committed rows of other tests do not matter."""
    return f"t{secrets.token_hex(6)}"


@pytest.fixture
def write(tmp_path: Path, name: str) -> Write:
    """A seed file with this text, NAME replaced."""

    def make(text: str) -> Path:
        file = tmp_path / "seed.yaml"
        file.write_text(text.replace("NAME", name), encoding="utf-8")
        return file

    return make


def counts() -> list[int]:
    """How many rows of each kind there are."""
    return [model.objects.count() for model in (FhirServer, PatientRecord, Client, ActsFor, OutboxEvent)] + [
        User.objects.get_queryset().count()
    ]


def test_a_small_file_makes_a_server_that_can_be_used(write: Write, name: str) -> None:
    outcome = seed(write(SMALL))

    server = FhirServer.objects.get(base=f"https://{name}.example.org/fhir")
    person = User.objects.get(username=name)
    client = Client.objects.get(client_id=f"{name}-app")
    assert person.check_password("correct horse battery")
    assert [acting.record.patient for acting in person.identities.get().acts_for.all()] == ["p1"]
    assert server.patients.get(patient="p1").record_number == "007"
    assert (client.grants, client.enabled, list(client.fhir_servers.all())) == ("authorization_code", 1, [server])
    assert client.origins.get().origin == "https://app.example.org"
    role = Client.objects.get(client_id=f"{name}-server").protects.get()
    assert (role.fhir_server, role.tells_addresses) == (server, 1)
    assert list(outcome.secrets) == [f"{name}-server"]


@pytest.mark.requirement("RG-08")
def test_a_drawn_secret_is_told_once_and_kept_as_a_hash(write: Write, name: str) -> None:
    outcome = seed(write(SMALL))

    drawn = outcome.secrets[f"{name}-server"]
    client = Client.objects.get(client_id=f"{name}-server")
    assert len(drawn) >= 43
    assert client.secret_digest == client_secret_digest(client.client_id, drawn)
    assert drawn not in json.dumps(list(Client.objects.filter(pk=client.pk).values()), default=str)


def test_a_second_run_changes_nothing_and_says_so(write: Write) -> None:
    file = write(SMALL)
    seed(file)
    before = counts()

    out = StringIO()
    call_command("seed", str(file), stdout=out)

    assert out.getvalue() == "nothing to change\n"
    assert counts() == before


def test_what_the_file_names_is_changed_and_named(write: Write, name: str) -> None:
    seed(write(SMALL))

    outcome = seed(
        write(SMALL.replace("patient/*.rs", "patient/Observation.rs").replace("acts_for: [p1]", "acts_for: [p2]"))
    )

    base = f"https://{name}.example.org/fhir"
    assert outcome.changes == [f"changed person {name}: acts_for at {base}", f"changed client {name}-app: scope"]
    assert Client.objects.get(client_id=f"{name}-app").scope == "launch/patient patient/Observation.rs"
    assert ActsFor.objects.get(identity__user__username=name).record.patient == "p2"
    kinds = (
        OutboxEvent.objects.filter(kind="seeded", client=f"{name}-app").order_by("pk").values_list("reason", flat=True)
    )
    assert list(kinds) == ["added", "changed scope"]


def test_what_the_file_does_not_name_stays(write: Write, name: str) -> None:
    seed(write(SMALL))
    Client.objects.filter(client_id=f"{name}-app").update(enabled=0, address_policy="block")
    User.objects.get_queryset().filter(username=name).suspend("left")

    outcome = seed(write(SMALL))

    client = Client.objects.get(client_id=f"{name}-app")
    assert outcome.changes == []
    assert (client.enabled, client.address_policy) == (0, "block")
    assert not User.objects.get(username=name).is_active


def test_a_changed_password_or_secret_is_never_set_back(write: Write, name: str) -> None:
    text = SMALL.replace("authentication: secret", f"authentication: secret\n    secret: {'s' * 40}")
    seed(write(text))
    person = User.objects.get(username=name)
    person.set_password("a new password of their own")
    person.save()
    Client.objects.filter(client_id=f"{name}-server").update(secret_digest="rotated")

    seed(write(text))

    assert User.objects.get(username=name).check_password("a new password of their own")
    assert Client.objects.get(client_id=f"{name}-server").secret_digest == "rotated"


def test_encounters_are_listed_with_their_patient(write: Write, name: str) -> None:
    listed = "encounters: [{id: v1, kind: Check-up, day: 2026-11-03, place: Ward 3}]"
    text = SMALL.replace("record_number: 007}", f"record_number: 007, {listed}}}")
    seed(write(text))

    outcome = seed(write(text.replace("Ward 3", "Ward 4")))

    server = FhirServer.objects.get(base=f"https://{name}.example.org/fhir")
    assert outcome.changes == [f"encounters of {server.base}: 0 added, 1 changed"]
    visit = server.patients.get(patient="p1").encounters.get()
    assert (visit.encounter, visit.kind, visit.day, visit.place) == ("v1", "Check-up", "2026-11-03", "Ward 4")
    assert seed(write(text.replace("Ward 3", "Ward 4"))).changes == []


@pytest.mark.requirement("SD-17")
def test_a_claim_mapping_is_written_like_the_rest_of_the_file(write: Write, name: str) -> None:
    written = """    claim_profile: custom
    claim_mapping:
      patient_id: {from: patient}
      roles: {value: [smartUser]}
    v1_equivalents: true
    patients:
"""
    text = SMALL.replace("    patients:\n", written)

    seed(write(text))

    server = FhirServer.objects.get(base=f"https://{name}.example.org/fhir")
    expected = {"patient_id": {"from": "patient"}, "roles": {"value": ["smartUser"]}}
    assert (server.claim_profile, json.loads(server.claim_mapping), server.v1_equivalents) == ("custom", expected, 1)
    assert seed(write(text)).changes == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param("claim_mapping: {a: {from: person}}", r"\[0\].claim_mapping: a: from must be one of", id="source"),
        pytest.param("claim_mapping: {patient: {from: sub}}", r"\[0\].claim_mapping: patient has a meaning", id="name"),
        pytest.param("claim_mapping: {a: {value: x}, a: {value: y}}", "stands twice", id="a name twice"),
        pytest.param("claim_mapping: none", r"\[0\].claim_mapping: must be a JSON object", id="text"),
        pytest.param("claim_profile: custom", r"\[0\].claim_mapping: not JSON", id="no mapping"),
        pytest.param("claim_profile: okta", r"\[0\].claim_profile: must be one of smart, node", id="profile"),
        pytest.param("v1_equivalents: 1", r"\[0\].v1_equivalents: must be one of true, false", id="flag"),
    ],
)
def test_a_wrong_claim_mapping_stops_the_file(write: Write, name: str, keys: str, message: str) -> None:
    with pytest.raises(SeedError, match=message):
        seed(write(SMALL.replace("    patients:", f"    {keys}\n    patients:")))

    assert not FhirServer.objects.filter(base=f"https://{name}.example.org/fhir").exists()


def test_every_claim_profile_can_be_written(write: Write, name: str) -> None:
    for profile in (*profiles(), "custom"):
        mapping = "    claim_mapping: {a: {from: sub}}\n" if profile == "custom" else ""
        seed(write(SMALL.replace("    patients:\n", f"    claim_profile: {profile}\n{mapping}    patients:\n")))

        assert FhirServer.objects.get(base=f"https://{name}.example.org/fhir").claim_profile == profile


@pytest.mark.requirement("RG-09")
def test_a_backend_service_is_bound_and_may_ask_by_a_secret(write: Write, name: str) -> None:
    keys = "grants: [client_credentials]\n    backend_patient: p1\n    backend_by_secret: true"

    seed(write(SMALL.replace("grants: []", keys)))

    service = Client.objects.get(client_id=f"{name}-server")
    assert (service.grants, service.backend_patient, service.backend_by_secret) == ("client_credentials", "p1", 1)


@pytest.mark.requirement("RG-01")
def test_an_app_has_any_number_of_launch_urls_and_one_may_be_written_short(write: Write, name: str) -> None:
    several = f"{AUTHENTICATION}\n    launch_urls: [https://a.example/launch, https://b.example/launch]"
    seed(write(SMALL.replace(AUTHENTICATION, several)))
    app = Client.objects.get(client_id=f"{name}-app")
    both, origins = app.launch_urls, set(app.origins.values_list("origin", flat=True))

    seed(write(SMALL.replace(AUTHENTICATION, f"{AUTHENTICATION}\n    launch_url: https://b.example/launch")))

    app.refresh_from_db()
    assert both == "https://a.example/launch https://b.example/launch"
    assert origins >= {"https://a.example", "https://b.example"}
    assert app.launch_urls == "https://b.example/launch"


def test_a_role_that_is_no_longer_listed_is_taken_away(write: Write, name: str) -> None:
    seed(write(SMALL))
    listed = SMALL[SMALL.index("    protects:") :]

    seed(write(SMALL.replace(listed, "    protects: []\n")))

    assert not Client.objects.get(client_id=f"{name}-server").protects.exists()


def test_what_a_list_of_a_client_gets_and_loses_is_named(write: Write, name: str) -> None:
    other = f"https://other-{name}.example.org/fhir"
    seed(write(SMALL.replace("people:", f"  - {{base: {other}, name: Other}}\npeople:")))

    own, protected = "fhir_servers: [https://NAME.example.org/fhir]", "{fhir_server: https://NAME.example.org/fhir"
    text = SMALL.replace(own, f"fhir_servers: [{other}]").replace(protected, f"{{fhir_server: {other}")
    outcome = seed(write(text.replace("app.example.org/cb]", "app.example.org/cb, https://app.example.org/new]")))

    base = f"https://{name}.example.org/fhir"
    assert outcome.changes == [
        f"changed client {name}-app: fhir_servers, redirect_uris",
        f"redirect_uris of client {name}-app: added https://app.example.org/new",
        f"fhir_servers of client {name}-app: added {other}; taken away {base}",
        f"changed client {name}-server: protects",
        f"protects of client {name}-server: added {other}; taken away {base}",
    ]


def test_a_person_without_a_password_cannot_sign_in(write: Write, name: str) -> None:
    seed(write(SMALL.replace("    password: correct horse battery\n", "")))

    assert not User.objects.get(username=name).has_usable_password()


AUTHENTICATION = "authentication: none"
CALLBACK = "https://app.example.org/cb"
REFUSED: dict[str, tuple[str, str, str]] = {
    "unknown section": ("clients:", "client:", "client: is not a key here; did you mean clients?"),
    "unknown key": ("    scope:", "    scopes:", "clients[0].scopes: is not a key here"),
    "missing value": ("name: An app", "name: ''", "clients[0].name: is missing"),
    "choice": (AUTHENTICATION, "authentication: no", "clients[0].authentication: must be one of"),
    "FHIR id": ("id: p2", "id: p 2", "fhir_servers[0].patients[1].id: must be a FHIR id"),
    "date": ("2001-02-03", "3.2.2001", "fhir_servers[0].patients[0].birth_date: must be a date"),
    "fhirUser": ("Patient/p1", "amy", "people[0].identities[0].fhir_user: must be such as"),
    "email": ("password: correct", "email: amy\n    password: correct", "people[0].email: must be an email address"),
    "no such patient": ("acts_for: [p1]", "acts_for: [p9]", "people[0].identities[0].acts_for: https://"),
    "no list": ("acts_for: [p1]", "acts_for: p1", "people[0].identities[0].acts_for: must be a list"),
    "password": ("correct horse battery", "short", "people[0].password: This password is too short"),
    "short secret": (
        "authentication: secret",
        "authentication: secret\n    secret: abc",
        "clients[1].secret: needs 32",
    ),
    "needless secret": (AUTHENTICATION, f"{AUTHENTICATION}\n    secret: abc", "clients[0].secret: is only for"),
    "secret switch": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    backend_by_secret: true",
        "clients[0].backend_by_secret: is only for",
    ),
    "consent of nobody": (
        "grants: []",
        "grants: []\n    always_asks_consent: true",
        "clients[1].always_asks_consent: is only for an app that people use",
    ),
    "bound patient": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    backend_patient: Patient/amy",
        "clients[0].backend_patient: must be a FHIR",
    ),
    "no keys": (AUTHENTICATION, "authentication: keys", "clients[0].jwks_file: a client with keys"),
    "keys by http": (
        AUTHENTICATION,
        "authentication: keys\n    jwks_uri: http://app.example.org/jwks",
        "clients[0].jwks_uri: It must begin with https://",
    ),
    "profile": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    profile: oidc",
        "clients[0].profile: must be one of smart, openid",
    ),
    "scope of plain OpenID Connect": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    profile: openid",
        "clients[0].scope: launch/patient: is never granted to plain OpenID Connect",
    ),
    "address after logout": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    post_logout_redirect_uris: [data:x]",
        "clients[0].post_logout_redirect_uris[0]: data:x: its scheme",
    ),
    "launch URL": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    launch_url: data:x",
        "clients[0].launch_url: data:x: its scheme",
    ),
    "two launch URLs in one": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    launch_url: https://a.example/ https://b.example/",
        "clients[0].launch_url: https://a.example/ https://b.example/: has a blank",
    ),
    "launch URL as a list": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    launch_url: []",
        "clients[0].launch_url: must be text",
    ),
    "second launch URL": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    launch_urls: [https://a.example/, data:x]",
        "clients[0].launch_urls[1]: data:x: its scheme",
    ),
    "launch URL and launch URLs": (
        AUTHENTICATION,
        f"{AUTHENTICATION}\n    launch_url: https://a.example/\n    launch_urls: [https://a.example/]",
        "clients[0].launch_url: is the short form of launch_urls",
    ),
    "redirect URI": (
        CALLBACK,
        f"{CALLBACK}#x",
        f"clients[0].redirect_uris[0]: {CALLBACK}#x: a fragment is not allowed",
    ),
    "no redirect URI": (f"[{CALLBACK}]", "[]", "clients[0].redirect_uris: is missing"),
    "no such server": ("s: [https://NAME", "s: [https://nowhere", "clients[0].fhir_servers[0]: no FHIR server has"),
    "flag": ("tells_addresses: true", "tells_addresses: maybe", "clients[1].protects[0].tells_addresses: must be"),
    "number": ("grants: []", "grants: []\n    tokens_to_keep: 0", "clients[1].tokens_to_keep: must be a whole number"),
    "key twice": ("name: An app", "name: An app\n    name: Twin", "the key 'name' stands twice"),
    "no YAML": ("people:", "people: [", "is not YAML"),
    "control character": ("name: An app", 'name: "a\\tb"', "clients[0].name: has a control character"),
    "base": ("base: https", "base: ftp", "fhir_servers[0].base: it must be https://host/path"),
}


@pytest.mark.parametrize(("old", "new", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_file_is_refused_at_its_path_and_nothing_is_written(
    write: Write, old: str, new: str, message: str
) -> None:
    assert old in SMALL
    before = counts()

    with pytest.raises(CommandError) as refused:
        call_command("seed", str(write(SMALL.replace(old, new, 1))))

    assert message in str(refused.value)
    assert "Nothing was written." in str(refused.value)
    assert counts() == before


@pytest.mark.parametrize("text", ["", "- a list", "just text"], ids=["empty", "list", "text"])
def test_a_file_without_keys_is_refused(write: Write, text: str) -> None:
    with pytest.raises(SeedError, match="must have keys such as demo, fhir_servers"):
        seed(write(text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("seed", str(tmp_path / "none.yaml"))


@pytest.mark.requirement("RG-04")
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param('{"keys": [{"kty": "oct", "kid": "1", "k": "AAAA"}]}', "only public keys may be", id="symmetric"),
        pytest.param('{"keys": [{"kty": "EC", "kid": "1", "d": "AAAA"}]}', "only public keys may be", id="private"),
        pytest.param('{"keys": [{"kty": "EC"}]}', "has no kid", id="no kid"),
        pytest.param('{"keys": [{"kty": "EC", "kid": "1"}, {"kty": "EC", "kid": "1"}]}', "there twice", id="kid twice"),
        pytest.param('{"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}]}', "shorter than", id="short"),
        pytest.param("[]", "is not a JWK set", id="no set"),
        pytest.param("{", "is not JSON", id="no JSON"),
    ],
)  # fmt: skip
def test_keys_that_may_not_be_registered_are_refused(write: Write, tmp_path: Path, keys: str, message: str) -> None:
    (tmp_path / "keys.json").write_text(keys, encoding="utf-8")
    text = SMALL.replace("authentication: none", "authentication: keys\n    jwks_file: keys.json")

    with pytest.raises(SeedError, match=message):
        seed(write(text))


@pytest.mark.requirement("RG-02")
def test_http_on_loopback_is_for_native_apps_outside_development(write: Write, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    text = SMALL.replace("https://app.example.org/cb", "http://127.0.0.1/cb")

    with pytest.raises(SeedError, match="http is allowed on loopback for native apps only"):
        seed(write(text))
    seed(write(text.replace("authentication: none", "authentication: none\n    application_type: native")))


def test_demo_data_is_refused_outside_development(write: Write, settings: Any) -> None:
    settings.SMARTAUTH_DEV = False
    before = counts()

    with pytest.raises(SeedError, match="demo: demo data has public passwords"):
        seed(write("demo: true" + SMALL))
    assert counts() == before


def test_patients_and_visits_are_read_as_dstu2_writes_them(write: Write, tmp_path: Path, name: str) -> None:
    patient = {"resourceType": "Patient", "id": "p3", "name": [{"given": ["Eve"], "family": ["Three", "Four"]}]}
    visit = {"resourceType": "Encounter", "id": "v1", "patient": {"reference": "Patient/p3"}}
    (tmp_path / "patients.json").write_text(json.dumps([patient, visit]), encoding="utf-8")

    outcome = seed(write(SMALL.replace("    patients:", "    patients_from: patients.json\n    patients:")))

    record = PatientRecord.objects.get(patient="p3", fhir_server__base=f"https://{name}.example.org/fhir")
    assert (record.name, record.encounters.get().encounter) == ("Eve Three Four", "v1")
    assert not any("skipped" in warning for warning in outcome.warnings)


def test_patients_are_read_from_a_bundle_too(write: Write, tmp_path: Path, name: str) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p3",
        "name": [{"use": "old", "family": "Before"}, {"given": ["Eve"], "family": "Three"}],
        "gender": "female",
        "birthDate": "1999",
        "identifier": [
            {"value": "insurance"},
            {"type": {"coding": [{"code": "MR"}]}, "value": "HC-3"},
        ],
        "deceasedDateTime": "2024-03-12",
    }
    visit = {
        "resourceType": "Encounter",
        "id": "v1",
        "subject": {"reference": "Patient/p3"},
        "type": [{"coding": [{"display": "Check-up"}]}],
        "period": {"start": "2026-11-03T16:10:00+01:00"},
        "location": [{"location": {"display": "Ward 3"}}],
        "serviceProvider": {"display": "Example Hospital"},
    }
    bundle = {"resourceType": "Bundle", "entry": [{"resource": visit}, {"resource": patient}]}
    (tmp_path / "patients.json").write_text(json.dumps(bundle), encoding="utf-8")

    seed(write(SMALL.replace("    patients:", "    patients_from: patients.json\n    patients:")))

    record = PatientRecord.objects.get(patient="p3", fhir_server__base=f"https://{name}.example.org/fhir")
    shown = (record.name, record.sex, record.birth_date, record.record_number, record.died)
    assert shown == ("Eve Three", "female", "1999", "HC-3", "2024")
    met = record.encounters.get()
    assert (met.encounter, met.kind, met.day, met.place) == ("v1", "Check-up", "2026-11-03", "Ward 3")
