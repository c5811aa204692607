"""Whether somebody may come in."""

import secrets
from typing import Any

import argon2
import pytest

from accounts import clock
from accounts.address import client_address
from accounts.login import apply_rate_limit, attempt
from tests.fixture_types import MakePerson

ADDRESS = "192.0.2.33"


def tried(name: str, password: str) -> str:
    return attempt(name, password, ADDRESS, now=clock.now()).result


def test_the_right_password_lets_in(make_person: MakePerson) -> None:
    person = make_person("amy")

    found = attempt(person.username, "smartauth-demo", ADDRESS, now=clock.now())

    assert (found.result, found.user) == ("right", person)


@pytest.mark.parametrize("password", ["", "Smartauth-demo", "smartauth-demo ", "smartauth-demo\0", "x" * 2000])
def test_no_other_password_lets_in(make_person: MakePerson, password: str) -> None:
    assert tried(make_person("amy").username, password) == "wrong"


def test_the_name_is_taken_to_the_letter(make_person: MakePerson) -> None:
    person = make_person("amy", username=f"Person-{secrets.token_hex(4)}")

    assert tried(person.username.upper(), "smartauth-demo") == "wrong"


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[argon2.Parameters]:
    """What each hash that is made or compared from now on costs."""
    hash_secret, verify, costs = argon2.low_level.hash_secret, argon2.PasswordHasher.verify, list[argon2.Parameters]()

    def watched_hash(*secret: Any, **cost: Any) -> bytes:
        made = hash_secret(*secret, **cost)
        costs.append(argon2.extract_parameters(made.decode()))
        return made

    def watched_verify(hasher: argon2.PasswordHasher, encoded: str, password: str) -> bool:
        costs.append(argon2.extract_parameters(encoded))
        return verify(hasher, encoded, password)

    monkeypatch.setattr(argon2.low_level, "hash_secret", watched_hash)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", watched_verify)
    return costs


@pytest.mark.usefixtures("real_cost")
def test_an_unknown_name_takes_as_long_as_a_wrong_password(
    make_person: MakePerson, hashes: list[argon2.Parameters], django_assert_num_queries: Any
) -> None:
    person = make_person("amy")
    person.set_password("smartauth-demo")
    person.save()
    hashes.clear()

    results = []
    for name in (person.username, f"nobody-{secrets.token_hex(8)}"):
        with django_assert_num_queries(2):
            results.append(tried(name, "guess"))

    of_known, of_unknown = hashes
    assert results == ["wrong", "wrong"]
    assert of_unknown == of_known


def test_a_success_forgets_the_failures_before_it(make_person: MakePerson, settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    name, now = make_person("amy").username, clock.now()
    apply_rate_limit(attempt(name, "guess", ADDRESS, now=now), now=now)
    apply_rate_limit(attempt(name, "smartauth-demo", ADDRESS, now=now), now=now)

    again = apply_rate_limit(attempt(name, "guess", ADDRESS, now=now), now=now)

    assert again.result == "wrong"


def test_another_address_of_the_same_ipv6_network_is_no_new_caller(make_person: MakePerson, settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    name, now = make_person("amy").username, clock.now()

    results = [
        apply_rate_limit(attempt(name, "guess", f"2001:db8:0:{network}::{host:x}", now=now), now=now).result
        for network, host in ((1, 1), (1, 0xFFFF), (1, 7), (2, 1))
    ]

    assert results == ["wrong", "rate-limited", "rate-limited", "wrong"]


def test_a_pause_ends(make_person: MakePerson, settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 1
    name, now = make_person("amy").username, clock.now()
    apply_rate_limit(attempt(name, "guess", ADDRESS, now=now), now=now)

    during = attempt(name, "smartauth-demo", ADDRESS, now=now)
    after = attempt(name, "smartauth-demo", ADDRESS, now=now + 901 * 1_000_000)

    assert (during.result, during.user) == ("rate-limited", None)
    assert after.result == "right"


def test_a_caller_cannot_write_the_address_that_counts(rf: Any, settings: Any) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = 0

    request = rf.get("/", HTTP_X_FORWARDED_FOR="203.0.113.9", REMOTE_ADDR="192.0.2.1")

    assert client_address(request) == "192.0.2.1"


def test_behind_our_own_proxy_the_address_is_what_it_saw(rf: Any, settings: Any) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = 1

    request = rf.get("/", HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.7", REMOTE_ADDR="192.0.2.1")

    assert client_address(request) == "198.51.100.7"


def test_the_right_password_of_a_suspended_account_is_no_failure(make_person: MakePerson, settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT = 2
    person, now = make_person("amy"), clock.now()
    person.suspended_at = now
    person.save(update_fields=["suspended_at"])

    results = [
        apply_rate_limit(attempt(person.username, "smartauth-demo", ADDRESS, now=now), now=now).result for _ in range(4)
    ]

    assert results == ["suspended"] * 4
