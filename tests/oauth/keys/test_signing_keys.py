"""Signing keys: private halves encrypted at rest, public halves published while tokens may need them."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import IntegrityError

from accounts import clock
from audit.models import OutboxEvent
from oauth.keys import signing_keys
from oauth.models import SigningKey
from smart.time_units import SECOND
from tests.fixture_types import SetClock

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}


@pytest.mark.requirement("SB-07", "DS-21")
def test_a_first_start_makes_an_active_and_a_next_key_an_algorithm_and_a_second_none() -> None:
    SigningKey.objects.all().delete()

    signing_keys.ensure_keys()
    made = set(SigningKey.objects.values_list("kid", "algorithm", "state"))
    signing_keys.ensure_keys()

    states = [("ES256", "active"), ("ES256", "next"), ("RS256", "active"), ("RS256", "next")]
    assert sorted((algorithm, state) for _, algorithm, state in made) == states
    assert set(SigningKey.objects.values_list("kid", "algorithm", "state")) == made


@pytest.mark.requirement("SB-04")
def test_the_private_half_lies_encrypted_in_the_database() -> None:
    SigningKey.objects.all().delete()  # those that are made now
    signing_keys.ensure_keys()
    for row in SigningKey.objects.exclude(state="retired"):
        private = signing_keys.private_key(row.kid, row.private_encrypted).as_dict(private=True)

        secret = str(private["d"])
        assert secret not in f"{row.private_encrypted}{row.public_jwk}"
        assert not PRIVATE & set(json.loads(row.public_jwk))


@pytest.mark.requirement("DS-20", "DS-21", "SB-04")
@pytest.mark.parametrize(("state", "signs_since"), [("active", 7), ("next", 0)])
@pytest.mark.parametrize(("algorithm", "kind"), [("ES256", "EC"), ("RS256", "RSA")])
def test_a_new_key_is_of_its_algorithm_and_signs_from_its_first_moment_or_not_yet(
    set_clock: SetClock, algorithm: str, kind: str, state: str, signs_since: int
) -> None:
    SigningKey.objects.filter(algorithm=algorithm).delete()
    set_clock(7)

    row = signing_keys.create_key(algorithm, state)

    public = json.loads(row.public_jwk)
    assert (public["kty"], public["kid"], public["alg"], public["use"]) == (kind, row.kid, algorithm, "sig")
    assert not PRIVATE & set(public)
    assert (row.created_at, row.activated_at, row.state) == (7, signs_since, state)


@pytest.mark.requirement("DS-20")
def test_a_public_key_says_its_id_its_algorithm_and_that_it_signs() -> None:
    SigningKey.objects.all().delete()
    signing_keys.ensure_keys()

    for row in SigningKey.objects.all():
        public = json.loads(row.public_jwk)
        assert (public["kid"], public["alg"], public["use"]) == (row.kid, row.algorithm, "sig")


def test_another_key_encryption_key_cannot_read_it(settings: Any) -> None:
    signing_keys.ensure_keys()
    row = SigningKey.objects.get(algorithm="ES256", state="active")
    signing_keys._decrypt.cache_clear()
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(signing_keys.UnreadableKey, match="SMARTAUTH_KEY_ENCRYPTION_KEYS"):
        signing_keys.private_key(row.kid, row.private_encrypted)


def test_a_key_encryption_key_put_in_front_still_reads_the_old(settings: Any) -> None:
    signing_keys.ensure_keys()
    row = SigningKey.objects.get(algorithm="ES256", state="active")
    signing_keys._decrypt.cache_clear()
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(),
        *settings.SMARTAUTH_KEY_ENCRYPTION_KEYS,
    ]

    assert signing_keys.private_key(row.kid, row.private_encrypted).as_dict(private=True)["kid"] == row.kid


@pytest.mark.requirement("DS-20", "DS-21")
def test_a_retired_key_is_published_while_a_token_of_its_may_live() -> None:
    signing_keys.ensure_keys()
    now, row = clock.now(), SigningKey.objects.get(algorithm="RS256", state="active")
    SigningKey.objects.filter(pk=row.pk).update(state="retired", retired_at=now)

    after_an_hour, later = now + 3601 * SECOND, now + 3901 * SECOND

    assert row.kid in {key["kid"] for key in signing_keys.public_jwks(now=after_an_hour)["keys"]}
    assert row.kid not in {key["kid"] for key in signing_keys.public_jwks(now=later)["keys"]}
    assert not PRIVATE & {name for key in signing_keys.public_jwks(now=now)["keys"] for name in key}


@pytest.mark.requirement("DS-21")
def test_shorter_tokens_today_do_not_hide_the_key_of_longer_ones_of_yesterday(settings: Any) -> None:
    signing_keys.ensure_keys()
    now, row = clock.now(), SigningKey.objects.get(algorithm="ES256", state="active")
    SigningKey.objects.filter(pk=row.pk).update(state="retired", retired_at=now)

    settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS = settings.SMARTAUTH_ACCESS_TOKEN_SECONDS = 60

    assert row.kid in {key["kid"] for key in signing_keys.public_jwks(now=now + 3600 * SECOND)["keys"]}


@pytest.fixture
def another_in_front(settings: Any) -> str:
    """A key-encryption key put in front of the one there is."""
    signing_keys.ensure_keys()
    first = Fernet.generate_key().decode()
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [first, *settings.SMARTAUTH_KEY_ENCRYPTION_KEYS]
    return first


@pytest.mark.requirement("SB-04")
def test_private_halves_encrypted_anew_need_the_old_key_encryption_key_no_more(
    settings: Any, another_in_front: str
) -> None:
    before = _private_halves()

    moved = signing_keys.re_encrypt()

    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [another_in_front]
    signing_keys._decrypt.cache_clear()
    assert set(moved) == set(before)
    assert _private_halves() == before


@pytest.mark.usefixtures("another_in_front")
def test_encrypting_anew_again_changes_nothing() -> None:
    signing_keys.re_encrypt()
    lie = list(_unretired().values_list("private_encrypted", flat=True))

    assert signing_keys.re_encrypt() == []
    assert list(_unretired().values_list("private_encrypted", flat=True)) == lie


def test_where_one_key_cannot_be_read_none_is_encrypted_anew(settings: Any) -> None:
    signing_keys.ensure_keys()
    lie = list(_unretired().values_list("private_encrypted", flat=True))
    signing_keys._decrypt.cache_clear()
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(signing_keys.UnreadableKey):
        signing_keys.re_encrypt()
    assert list(_unretired().values_list("private_encrypted", flat=True)) == lie
    assert set(signing_keys.unreadable_kids()) == set(_unretired().values_list("kid", flat=True))


@pytest.mark.usefixtures("another_in_front")
def test_where_the_last_key_cannot_be_read_the_ones_before_it_stay_as_they_are() -> None:
    last = _unretired().last()
    last.private_encrypted = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    last.save()
    lie = list(_unretired().values_list("private_encrypted", flat=True))

    with pytest.raises(signing_keys.UnreadableKey):
        signing_keys.re_encrypt()
    assert list(_unretired().values_list("private_encrypted", flat=True)) == lie


@pytest.mark.usefixtures("another_in_front")
def test_only_what_is_not_under_the_first_key_yet_is_encrypted_anew() -> None:
    SigningKey.objects.create(kid="forgotten", algorithm="ES256", state="retired", public_jwk="{}", created_at=1)
    last = _unretired().last()
    signing_keys.re_encrypt()
    SigningKey.objects.filter(pk=last.pk).update(private_encrypted=last.private_encrypted)

    assert signing_keys.re_encrypt() == [last.kid]


@pytest.mark.usefixtures("another_in_front")
def test_encrypting_anew_is_one_event_that_names_the_keys() -> None:
    moved = signing_keys.re_encrypt()
    signing_keys.re_encrypt()

    (event,) = OutboxEvent.objects.filter(kind="keys-re-encrypted")
    assert event.reason == ", ".join(moved)


@pytest.mark.requirement("SB-07")
def test_a_key_that_another_server_makes_at_this_moment_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    SigningKey.objects.all().delete()
    create_key = signing_keys.create_key

    def came_second(algorithm: str, state: str) -> SigningKey:
        if (algorithm, state) == ("ES256", "active"):
            raise IntegrityError
        return create_key(algorithm, state)

    monkeypatch.setattr(signing_keys, "create_key", came_second)
    signing_keys.ensure_keys()

    wanted = {(algorithm, state) for algorithm in signing_keys.ALGORITHMS for state in ("active", "next")}
    assert set(SigningKey.objects.values_list("algorithm", "state")) == wanted - {("ES256", "active")}


def _private_halves() -> dict[str, Any]:
    rows = SigningKey.objects.exclude(private_encrypted="")
    return {row.kid: signing_keys.private_key(row.kid, row.private_encrypted).as_dict() for row in rows}


def _unretired() -> Any:
    return SigningKey.objects.exclude(state="retired").order_by("pk")
