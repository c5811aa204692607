"""What finds the demo's public passwords, secrets and keys in the database of a real server."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts.models import User
from oauth.demo import credentials
from oauth.models import Client
from oauth.seeding import seed

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    """Argon2 is not what these tests look at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def seeded() -> None:
    """The demo, in a database where nobody had touched its people and clients before."""
    Client.objects.filter(client_id__in=credentials.CLIENTS).delete()
    User.objects.get_queryset().filter(username__in=credentials.PEOPLE).delete()
    seed(ROOT / "smartauth.yaml")


def of_demo(found: list[str]) -> set[str]:
    """Without rows that other tests have committed."""
    names = {f"client {name}" for name in credentials.CLIENTS} | {f"person {name}" for name in credentials.PEOPLE}
    return set(found) & names


def test_the_constants_are_those_of_the_seed_file() -> None:
    found = yaml.safe_load((ROOT / "smartauth.yaml").read_text(encoding="utf-8"))

    assert tuple(person["username"] for person in found["people"]) == credentials.PEOPLE
    assert {person["password"] for person in found["people"]} == {credentials.PASSWORD}
    assert tuple(client["client_id"] for client in found["clients"]) == credentials.CLIENTS
    assert all(
        client.get("secret") in (None, credentials.published_secret(client["client_id"])) for client in found["clients"]
    )


def test_an_empty_database_holds_no_demo() -> None:
    Client.objects.filter(client_id__in=credentials.CLIENTS).delete()
    User.objects.get_queryset().filter(username__in=credentials.PEOPLE).delete()

    assert of_demo(credentials.usable_demo_credentials()) == set()


@pytest.mark.usefixtures("seeded")
def test_all_of_the_demo_is_found() -> None:
    expected = {f"client {name}" for name in credentials.CLIENTS} | {f"person {name}" for name in credentials.PEOPLE}

    assert of_demo(credentials.usable_demo_credentials()) == expected


@pytest.mark.usefixtures("seeded")
def test_what_was_closed_or_changed_no_longer_counts() -> None:
    Client.objects.filter(client_id__in=("demo-public", "demo-asymmetric", "demo-versions", "demo-backend")).disable()
    Client.objects.filter(client_id="demo-symmetric").update(secret_digest="another")
    User.objects.get_queryset().filter(username__in=("ben", "carol", "dr-green", "admin")).suspend("gone")
    amy = User.objects.get(username="amy")
    amy.set_password("a password of my own")
    amy.save()

    assert of_demo(credentials.usable_demo_credentials()) == {"client demo-resource-server"}


@pytest.mark.usefixtures("seeded")
def test_a_demo_secret_that_still_works_beside_a_new_one_counts() -> None:
    from accounts import clock
    from oauth.clients.secrets import client_secret_digest

    public = client_secret_digest("demo-symmetric", "demo-symmetric-secret")
    row = Client.objects.filter(client_id="demo-symmetric")

    row.update(secret_digest="new", old_secret_digest=public, old_secret_until=clock.now() + 60_000_000)
    assert "client demo-symmetric" in credentials.usable_demo_credentials()

    row.update(old_secret_until=clock.now() - 1)
    assert "client demo-symmetric" not in credentials.usable_demo_credentials()


@pytest.mark.usefixtures("seeded")
def test_a_demo_key_under_another_name_counts() -> None:
    row = Client.objects.get(client_id="demo-backend")
    row.client_id, row.jwks = "somebody-else", row.jwks.replace("smartauth-demo-", "other-")
    row.save()

    assert "client somebody-else" in credentials.usable_demo_credentials()
