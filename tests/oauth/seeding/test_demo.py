"""The seed file of the demo, smartauth.yaml: what it brings is what the documentation names."""

import json
from typing import Any

import pytest

from accounts.models import User
from oauth.clients.secrets import client_secret_digest
from oauth.models import ActsFor, Client, FhirIdentity, FhirServer
from oauth.seeding import seed
from tests.running import ROOT

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


ISSUER = "http://127.0.0.1:7999"  # no other test has rows of its FHIR servers


@pytest.fixture(autouse=True)
def seeded(settings: Any) -> None:
    settings.SMARTAUTH_ISSUER = ISSUER
    seed(ROOT / "smartauth.yaml")


VERSIONS = ("r4", "stu3", "dstu2")


@pytest.mark.parametrize("version", VERSIONS)
def test_it_holds_the_people_of_the_documentation_at_each_base(version: str) -> None:
    server = FhirServer.objects.get(base=f"{ISSUER}/fhir/{version}")

    acting = {
        username: set(
            ActsFor.objects.filter(identity__user__username=username, record__fhir_server=server).values_list(
                "record__patient", flat=True
            )
        )
        for username in ("amy", "ben", "carol", "dr-green", "admin")
    }
    assert len(acting.pop("dr-green")) == server.patients.count() == 42
    assert acting == {"amy": {"amy"}, "ben": {"ben"}, "carol": {"dan"}, "admin": set()}
    assert server.version == version
    assert server.patients.get(patient="amy").name == "Amy Shaw"
    assert server.patients.get(patient="amy").encounters.exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_each_person_of_it_is_a_record_in_each_version(version: str) -> None:
    records = json.loads((ROOT / f"demo/fhir/{version}.json").read_text(encoding="utf-8"))
    identities = FhirIdentity.objects.filter(fhir_server__base=f"{ISSUER}/fhir/{version}")

    named = set(identities.values_list("resource", flat=True))

    assert named == {"Patient/amy", "Patient/ben", "RelatedPerson/carol", "Practitioner/dr-green"}
    assert named <= {f"{each['resourceType']}/{each.get('id')}" for each in records}


def test_one_client_reaches_every_base_and_the_others_need_not_say_which_is_meant() -> None:
    asking = Client.objects.filter(client_id__startswith="demo-").exclude(grants="")
    reached = {row.client_id: set(row.fhir_servers.values_list("version", flat=True)) for row in asking}

    assert reached.pop("demo-versions") == set(VERSIONS)
    assert set(map(frozenset, reached.values())) == {frozenset({"r4"})}
    protected = Client.objects.get(client_id="demo-resource-server").protects.filter(tells_addresses=1)
    assert set(protected.values_list("fhir_server__version", flat=True)) == set(VERSIONS)


def test_an_operator_and_a_person_are_who_they_are() -> None:
    assert User.objects.get(username="admin").is_superuser
    assert not User.objects.get(username="amy").is_staff


def test_its_secrets_are_the_ids_with_secret_appended() -> None:
    for client_id in ("demo-symmetric", "demo-resource-server"):
        assert Client.objects.get(client_id=client_id).secret_digest == client_secret_digest(
            client_id, f"{client_id}-secret"
        )


def test_its_redirect_uris_are_the_demo_app_and_one_for_scripts() -> None:
    for client_id in ("demo-public", "demo-symmetric", "demo-asymmetric"):
        uris = Client.objects.get(client_id=client_id).redirect_uris.split()
        assert uris == [f"{ISSUER}/demo/callback", "http://127.0.0.1:4999/cb"]


def test_both_address_policies_are_to_be_seen() -> None:
    assert Client.objects.get(client_id="demo-symmetric").address_policy == "block"
    assert FhirServer.objects.get(base=f"{ISSUER}/fhir/r4").address_policy == "flag"


def test_running_it_again_changes_nothing() -> None:
    assert seed(ROOT / "smartauth.yaml").changes == []


def test_a_password_that_everybody_knows_is_hashed_once() -> None:
    hashes = {row.username: row.password for row in User.objects.filter(username__in=["amy", "ben", "admin"])}

    assert len(hashes) == 3
    assert len(set(hashes.values())) == 1
