"""A client's secret is drawn here and kept as a fingerprint; a new one replaces it once, with an overlap (RG-08)."""

from typing import Any

import pytest

from accounts import clock
from oauth.clients import secrets
from oauth.models import Client
from tests.conftest import SECRET
from tests.fixture_types import MakeClient


def kept(client: Client) -> tuple[str, str, int]:
    row = Client.objects.get(pk=client.pk)
    return row.secret_digest, row.old_secret_digest, row.old_secret_until


@pytest.mark.requirement("RG-08")
def test_a_rotation_happens_once_and_the_old_secret_goes_on_for_a_while(make_client: MakeClient, settings: Any) -> None:
    settings.SMARTAUTH_OLD_SECRET_SECONDS = 7
    client, now = make_client("secret"), clock.now()
    number, stale = secrets.rotation_number(client), Client.objects.get(pk=client.pk)

    new = secrets.rotate(client, number, now=now)
    after = kept(client)
    again = secrets.rotate(Client.objects.get(pk=client.pk), number, now=now + 1)
    meanwhile = secrets.rotate(stale, number, now=now + 1)

    digests = [secrets.client_secret_digest(client.client_id, secret) for secret in (new, SECRET)]
    assert after == (*digests, now + 7_000_000)
    assert len(new) >= 43
    assert (again, meanwhile, kept(client)) == ("", "", after)


@pytest.mark.requirement("RG-08")
def test_a_rotation_needs_the_number_of_the_secret_of_this_moment(make_client: MakeClient) -> None:
    client, another = make_client("secret"), make_client("secret")
    before = kept(client)

    assert secrets.rotate(client, secrets.rotation_number(another), now=clock.now()) == ""
    assert secrets.rotate(client, "é", now=clock.now()) == ""
    assert kept(client) == before


@pytest.mark.requirement("RG-08")
def test_a_first_secret_is_kept_as_a_fingerprint_that_is_the_clients_own(make_client: MakeClient) -> None:
    client = make_client("secret", secret_digest="")

    secret = secrets.assign_secret(client)

    assert client.secret_digest == secrets.client_secret_digest(client.client_id, secret)
    assert client.secret_digest != secrets.client_secret_digest("another", secret)
    assert secret not in client.secret_digest
