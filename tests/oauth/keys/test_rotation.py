"""Signing keys take turns without an outage; one that leaked is gone at once."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts import clock
from audit.models import OutboxEvent
from oauth import tasks
from oauth.keys import rotation, signing_keys
from oauth.models import SigningKey
from smart.time_units import SECOND

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
DAY = 86_400 * SECOND
STATES = [("ES256", "active"), ("ES256", "next"), ("RS256", "active"), ("RS256", "next")]


@pytest.fixture(autouse=True)
def first_keys() -> None:
    """As a server has them two hours after its first start."""
    SigningKey.objects.all().delete()
    signing_keys.ensure_keys()
    SigningKey.objects.update(created_at=clock.now() - 7200 * SECOND)


def of(state: str, algorithm: str = "ES256") -> SigningKey:
    return SigningKey.objects.get(algorithm=algorithm, state=state)


def published() -> set[str]:
    return {key["kid"] for key in signing_keys.public_jwks(now=clock.now())["keys"]}


def standing() -> list[tuple[str, str]]:
    """The keys that are in use, which must always be the same four kinds."""
    rows = SigningKey.objects.exclude(state="retired").order_by("algorithm", "state")
    return list(rows.values_list("algorithm", "state"))


@pytest.mark.requirement("DS-21")
def test_a_next_key_is_published_before_it_signs_and_a_retired_one_afterwards() -> None:
    before, old, coming = published(), of("active"), of("next")

    rotation.rotate(old.kid)

    assert {old.kid, coming.kid} <= before
    assert of("active").kid == coming.kid
    assert published() == before | {of("next").kid}
    assert standing() == STATES


@pytest.mark.requirement("SB-04")
def test_a_retired_key_has_lost_its_private_half() -> None:
    old = of("active")

    rotation.rotate(old.kid)

    old.refresh_from_db()
    assert (old.state, old.private_encrypted) == ("retired", "")
    assert old.retired_at > 0


def test_a_rotation_is_in_the_trail() -> None:
    old = of("active")

    new = rotation.rotate(old.kid, by={"operator": "op", "address": "192.0.2.7"})

    (event,) = OutboxEvent.objects.filter(kind="key-rotated", operator="op")
    assert (event.reason, event.address) == (f"{new.kid} signs after {old.kid}", "192.0.2.7")


@pytest.mark.requirement("DS-21", "HI-08")
@pytest.mark.parametrize("turn", [rotation.rotate, rotation.withdraw], ids=["rotate", "withdraw"])
def test_a_turn_whose_event_cannot_be_written_has_not_happened(turn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = standing(), published(), of("active").private_encrypted

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    monkeypatch.setattr(rotation, "record_events", failing)
    with pytest.raises(RuntimeError, match="broken on the way"):
        turn(of("active").kid)

    assert (standing(), published(), of("active").private_encrypted) == before


@pytest.mark.requirement("DS-21")
@pytest.mark.parametrize(("age", "wait"), [(0, 3600), (999_999, 3600), (3599 * SECOND, 1), (3600 * SECOND, 0)])
def test_a_next_key_waits_for_whole_seconds_until_it_was_published_for_an_hour(age: int, wait: int) -> None:
    now = clock.now()

    assert rotation.seconds_until_announced(SigningKey(created_at=now - age), now=now) == wait
    assert rotation.seconds_until_announced(SigningKey(created_at=now - 7200 * SECOND), now=now) == 0


def test_where_no_next_key_is_published_none_signs() -> None:
    of("next").delete()

    with pytest.raises(rotation.NotRotated, match="no next ES256 key is published"):
        rotation.rotate(of("active").kid)


@pytest.mark.requirement("DS-21")
def test_a_key_that_was_not_published_long_enough_does_not_sign(settings: Any) -> None:
    settings.SMARTAUTH_KEY_ANNOUNCED_SECONDS = 7300
    old, before = of("active"), published()

    with pytest.raises(rotation.NotRotated, match=r"to be published for another (100|99|98) seconds"):
        rotation.rotate(old.kid)

    assert of("active").kid == old.kid
    assert published() == before


def test_in_an_emergency_it_signs_all_the_same(settings: Any) -> None:
    settings.SMARTAUTH_KEY_ANNOUNCED_SECONDS = 7300
    coming = of("next")

    assert rotation.rotate(of("active").kid, urgent=True).kid == coming.kid


@pytest.mark.parametrize("state", ["next", "retired"])
def test_only_the_key_that_signs_is_rotated(state: str) -> None:
    rotation.rotate(of("active").kid)
    before = standing(), published()

    with pytest.raises(rotation.NotRotated, match="does not sign"):
        rotation.rotate(SigningKey.objects.filter(state=state).first().kid, urgent=True)  # type: ignore[union-attr]
    assert (standing(), published()) == before


def test_a_next_key_that_nobody_can_read_does_not_sign(settings: Any) -> None:
    SigningKey.objects.filter(pk=of("next").pk).update(private_encrypted=Fernet(Fernet.generate_key()).encrypt(b"x"))
    old = of("active")

    with pytest.raises(rotation.NotRotated, match="cannot be decrypted"):
        rotation.rotate(old.kid)
    assert of("active").kid == old.kid


# Withdrawn ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["active", "next", "retired"])
def test_a_withdrawn_key_leaves_the_published_ones_at_once_and_is_no_sign_of_us(state: str) -> None:
    rotation.rotate(of("active").kid)
    leaked = of(state)

    rotation.withdraw(leaked.kid)

    assert leaked.kid not in published()
    assert leaked.kid not in {key.kid for key in signing_keys.verification_keys(now=clock.now()).keys}
    assert standing() == STATES
    assert OutboxEvent.objects.filter(kind="key-withdrawn", reason__startswith=leaked.kid).count() == 1


def test_a_key_that_is_withdrawn_later_keeps_the_moment_in_which_it_retired() -> None:
    rotation.rotate(of("active").kid)
    SigningKey.objects.filter(pk=of("retired").pk).update(retired_at=7)

    rotation.withdraw(of("retired").kid)

    assert (of("retired").retired_at, of("retired").withdrawn_at > 7) == (7, True)


def test_a_key_is_withdrawn_once() -> None:
    leaked = of("active")
    rotation.withdraw(leaked.kid, by={"operator": "op", "address": "192.0.2.7"})
    (event,) = OutboxEvent.objects.filter(kind="key-withdrawn", operator="op")
    assert (event.reason, event.address) == (f"{leaked.kid}; {of('active').kid} signs", "192.0.2.7")
    signs = of("active").kid

    with pytest.raises(rotation.NotRotated, match="withdrawn already"):
        rotation.withdraw(leaked.kid)
    assert of("active").kid == signs


def test_where_no_key_can_be_read_withdrawing_the_active_one_makes_new_ones(settings: Any) -> None:
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    signing_keys._decrypt.cache_clear()
    unreadable = {of("active").kid, of("next").kid}

    rotation.withdraw(of("active").kid)

    assert not unreadable & published()

    assert signing_keys.is_readable(of("active"))
    assert signing_keys.is_readable(of("next"))
    others = SigningKey.objects.exclude(algorithm="ES256").exclude(state="retired")
    assert set(signing_keys.unreadable_kids()) == {row.kid for row in others}


def test_where_no_next_key_is_there_withdrawing_the_active_one_makes_both() -> None:
    of("next").delete()

    rotation.withdraw(of("active").kid)

    assert standing() == STATES


# The schedule ---------------------------------------------------------------------------------------------------------


def test_the_schedule_rotates_what_has_signed_for_so_many_days_and_nothing_else() -> None:
    SigningKey.objects.filter(pk=of("active").pk).update(activated_at=clock.now() - 91 * DAY)
    es256, rs256 = of("active"), of("active", "RS256")

    assert tasks.rotate_keys() == 1
    assert tasks.rotate_keys() == 0

    assert of("active").kid != es256.kid
    assert of("active", "RS256").kid == rs256.kid
    assert OutboxEvent.objects.filter(kind="key-rotated", reference="schedule").count() == 1


@pytest.mark.requirement("DS-21")
def test_the_schedule_counts_what_it_rotates_and_makes_a_next_key_where_none_is() -> None:
    SigningKey.objects.filter(state="active").update(activated_at=clock.now() - 91 * DAY)
    assert tasks.rotate_keys() == len(signing_keys.ALGORITHMS)
    of("next").delete()

    assert tasks.rotate_keys() == 0
    assert standing() == STATES


@pytest.mark.requirement("DS-21")
def test_an_algorithm_that_has_to_wait_holds_up_no_other() -> None:
    SigningKey.objects.filter(state="active").update(activated_at=clock.now() - 91 * DAY)
    SigningKey.objects.filter(pk=of("next").pk).update(created_at=clock.now())

    assert tasks.rotate_keys() == len(signing_keys.ALGORITHMS) - 1


@pytest.mark.requirement("DS-21")
def test_the_schedule_waits_for_a_next_key_that_is_too_new_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    SigningKey.objects.filter(pk=of("active").pk).update(activated_at=clock.now() - 91 * DAY)
    SigningKey.objects.filter(pk=of("next").pk).update(created_at=clock.now() - 3000 * SECOND)

    assert tasks.rotate_keys() == 0
    assert f"{of('next').kid} is to be published for another" in caplog.text


def test_without_days_nothing_rotates_by_itself(settings: Any) -> None:
    settings.SMARTAUTH_KEY_ROTATION_DAYS = 0
    SigningKey.objects.filter(state="active").update(activated_at=1)

    assert tasks.rotate_keys() == 0


def test_the_worker_runs_it_every_hour(settings: Any) -> None:
    assert {"task": tasks.rotate_keys.name, "schedule": 3600} in settings.CELERY_BEAT_SCHEDULE.values()


# The command ----------------------------------------------------------------------------------------------------------


def test_the_command_rotates_every_algorithm(capsys: pytest.CaptureFixture[str]) -> None:
    old = {of("active").kid, of("active", "RS256").kid}

    call_command("keys", "rotate")

    printed = capsys.readouterr()
    assert not old & {of("active").kid, of("active", "RS256").kid}
    assert all(kid in printed.out for kid in old)
    assert printed.err == ""


def test_or_one_of_them() -> None:
    rs256 = of("active", "RS256").kid

    call_command("keys", "rotate", "--algorithm", "ES256")

    assert of("active", "RS256").kid == rs256


def test_it_says_how_long_to_wait_and_warns_who_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("keys", "rotate")
    second = of("active").kid

    with pytest.raises(CommandError, match=r"ES256 was not rotated: .* for another 3[0-9]+ seconds"):
        call_command("keys", "rotate")
    assert of("active").kid == second
    call_command("keys", "rotate", "--now")
    assert of("active").kid != second
    assert "until they fetch the keys again" in capsys.readouterr().err


def test_it_says_in_json_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    before = of("active").kid

    call_command("keys", "rotate", "--algorithm", "ES256", "--json")
    rotated = json.loads(capsys.readouterr().out)
    call_command("keys", "withdraw", before, "--json")
    withdrawn = json.loads(capsys.readouterr().out)
    call_command("keys", "re-encrypt", "--json")

    assert rotated == [{"algorithm": "ES256", "active": of("active").kid, "retired": before}]
    assert withdrawn == {"withdrawn": before}
    assert json.loads(capsys.readouterr().out) == {"encrypted_anew": []}


def test_it_lists_states_and_what_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("keys", "rotate")
    call_command("keys", "withdraw", of("retired").kid)
    SigningKey.objects.filter(pk=of("next").pk).update(private_encrypted="x")
    capsys.readouterr()

    call_command("keys", "list")

    es256 = [line for line in capsys.readouterr().out.splitlines() if "ES256" in line]
    assert [line.split()[2] for line in es256] == ["withdrawn", "active", "next"]
    assert [line.endswith("UNREADABLE") for line in es256] == [False, False, True]
    assert not any("BEGIN" in line or '"d"' in line for line in es256)


def test_an_unknown_key_is_not_withdrawn() -> None:
    with pytest.raises(CommandError, match="there is no key nothing"):
        call_command("keys", "withdraw", "nothing")


def test_it_encrypts_anew(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SMARTAUTH_KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.SMARTAUTH_KEY_ENCRYPTION_KEYS]

    call_command("keys", "re-encrypt")
    call_command("keys", "re-encrypt")

    first, second = capsys.readouterr().out.splitlines()
    assert of("active").kid in first
    assert "nothing, all were under the first key" in second
