"""The seed file of the demo, smartauth.yaml: what it brings is what the documentation names."""

import pytest

from accounts.models import User
from oauth.clients.secrets import client_secret_digest
from oauth.models import ActsFor, Client, FhirServer
from oauth.seeding import seed
from tests.running import ROOT

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def seeded() -> None:
    seed(ROOT / "smartauth.yaml")


def test_it_holds_the_people_and_clients_of_the_documentation() -> None:
    server = FhirServer.objects.get(base="http://127.0.0.1:8000/fhir/r4")

    acting = {
        username: set(
            ActsFor.objects.filter(identity__user__username=username).values_list("record__patient", flat=True)
        )
        for username in ("amy", "ben", "carol", "admin")
    }
    assert acting == {"amy": {"amy"}, "ben": {"ben"}, "carol": {"dan"}, "admin": set()}
    assert ActsFor.objects.filter(identity__user__username="dr-green").count() == server.patients.count() >= 41
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
        assert uris == ["http://127.0.0.1:8000/demo/callback", "http://127.0.0.1:4999/cb"]


def test_both_address_policies_are_to_be_seen() -> None:
    assert Client.objects.get(client_id="demo-symmetric").address_policy == "block"
    assert FhirServer.objects.get(base="http://127.0.0.1:8000/fhir/r4").address_policy == "flag"


def test_running_it_again_changes_nothing() -> None:
    assert seed(ROOT / "smartauth.yaml").changes == []
