"""Signing keys: private halves encrypted at rest, public halves published while tokens may need them."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet

from accounts import clock
from oauth import keys
from oauth.models import SigningKey
from smart.clock import SECOND

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}


@pytest.mark.requirement("SB-07")
def test_a_first_start_makes_one_active_key_an_algorithm_and_a_second_none() -> None:
    SigningKey.objects.all().delete()

    keys.ensure()
    made = set(SigningKey.objects.values_list("kid", "algorithm", "state"))
    keys.ensure()

    assert {(algorithm, state) for _, algorithm, state in made} == {("ES256", "active"), ("RS256", "active")}
    assert set(SigningKey.objects.values_list("kid", "algorithm", "state")) == made


@pytest.mark.requirement("SB-04")
def test_the_private_half_lies_encrypted_in_the_database() -> None:
    keys.ensure()
    for row in SigningKey.objects.all():
        private = keys.signing(row.kid, row.private_encrypted).as_dict(private=True)

        secret = str(private["d"])
        assert secret not in f"{row.private_encrypted}{row.public_jwk}"
        assert not PRIVATE & set(json.loads(row.public_jwk))


def test_another_key_encryption_key_cannot_read_it(settings: Any) -> None:
    keys.ensure()
    row = SigningKey.objects.filter(algorithm="ES256").get()
    keys._decrypted.cache_clear()
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(keys.UnreadableKey, match="SMARTAUTH_KEY_ENCRYPTION_KEYS"):
        keys.signing(row.kid, row.private_encrypted)


def test_a_key_encryption_key_put_in_front_still_reads_the_old(settings: Any) -> None:
    keys.ensure()
    row = SigningKey.objects.filter(algorithm="ES256").get()
    keys._decrypted.cache_clear()
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.SMARTAUTH_KEY_ENCRYPTION_KEYS,
    ]

    assert keys.signing(row.kid, row.private_encrypted).as_dict(private=True)["kid"] == row.kid


@pytest.mark.requirement("DS-20", "DS-21")
def test_a_retired_key_is_published_while_a_token_of_its_may_live() -> None:
    keys.ensure()
    now, row = clock.now(), SigningKey.objects.filter(algorithm="RS256").get()
    SigningKey.objects.filter(pk=row.pk).update(state="retired", retired_at=now)

    after_an_hour = now + 3601 * SECOND

    assert row.kid in {key["kid"] for key in keys.published(now=now)["keys"]}
    assert row.kid not in {key["kid"] for key in keys.published(now=after_an_hour)["keys"]}
    assert not PRIVATE & {name for key in keys.published(now=now)["keys"] for name in key}
