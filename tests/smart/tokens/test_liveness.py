"""The one decision whether a token is alive."""

from typing import Any

import pytest

from smart.time_units import CLOCK_SKEW
from smart.tokens.liveness import RULES, Dead, dead_reason, dead_reasons, is_superseded, unusable_reason

ALIVE: dict[str, Any] = {
    "now": 999,
    "issued_at": 0,
    "expires_at": 1000,
    "revoked_at": 0,
    "seat": (3, 3, 1),
    "authorization_epochs": (2, 2),
    "user_epochs": (5, 5),
    "client_epochs": (0, 0),
    "fhir_server_epochs": (0, 0),
    "client_enabled": 1,
    "user_suspended_at": 0,
}


@pytest.mark.parametrize(
    "change",
    [{}, {"seat": None}, {"user_epochs": None}, {"seat": (2, 3, 2)}, {"issued_at": 999 + CLOCK_SKEW}],
    ids=repr,
)
def test_a_token_lives_while_nothing_speaks_against_it(change: dict[str, Any]) -> None:
    assert dead_reason(**{**ALIVE, **change}) is None


@pytest.mark.requirement("E107", "PR-08", "PR-01")
@pytest.mark.requirement("LV-02", "LV-03", "LV-04", "LV-05", "LV-06", "LV-07", "LV-08", "LV-09", "LV-10")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"now": 1000}, "expired"),
        ({"now": 1001}, "expired"),
        ({"issued_at": 999 + CLOCK_SKEW + 1}, "expired"),
        ({"revoked_at": 1}, "revoked"),
        ({"seat": (2, 3, 1)}, "superseded"),
        ({"seat": (1, 3, 2)}, "superseded"),
        ({"authorization_epochs": (2, 3)}, "ended"),
        ({"authorization_epochs": (3, 2)}, "ended"),
        ({"user_epochs": (5, 6)}, "person-ended"),
        ({"user_suspended_at": 1}, "person-stopped"),
        ({"client_epochs": (0, 1)}, "client-ended"),
        ({"fhir_server_epochs": (0, 1)}, "fhir-server-ended"),
        ({"client_enabled": 0}, "client-disabled"),
    ],
    ids=repr,
)
def test_one_thing_is_enough_to_end_it(change: dict[str, Any], reason: str) -> None:
    assert dead_reason(**{**ALIVE, **change}) == reason


@pytest.mark.requirement("AZ-25")
def test_every_reason_is_named_in_the_order_of_the_rules_and_the_first_decides() -> None:
    broken = {"now": 2000, "revoked_at": 1, "seat": (1, 3, 1), "authorization_epochs": (2, 3), "client_enabled": 0}
    more = {"client_epochs": (0, 1), "user_epochs": (5, 6), "user_suspended_at": 1, "fhir_server_epochs": (0, 1)}

    assert list(dead_reasons(**{**ALIVE, **broken, **more})) == list(RULES) == list(Dead)
    assert [rule.rule for rule in RULES.values()] == [f"LV-{number:02}" for number in range(2, 11)]


def test_what_somebody_did_is_named_before_what_time_did() -> None:
    assert dead_reason(**{**ALIVE, "now": 2000, "revoked_at": 1, "seat": (1, 3, 1)}) == "revoked"


@pytest.mark.requirement("PR-01", "PR-02")
@pytest.mark.parametrize("keep", [1, 2, 5])
@pytest.mark.parametrize("issued", [1, 3, 50])
def test_exactly_the_kept_number_of_a_seat_lives(issued: int, keep: int) -> None:
    alive = [number for number in range(1, issued + 1) if not is_superseded(number, issued, keep)]

    assert alive == list(range(1, issued + 1))[-keep:]


@pytest.mark.requirement("LV-03", "LV-04", "LV-06")
def test_an_authorization_is_usable_while_nothing_above_its_tokens_has_ended() -> None:
    above = ("user_epochs", "client_epochs", "fhir_server_epochs", "client_enabled", "user_suspended_at")
    facts = {name: ALIVE[name] for name in above}

    assert unusable_reason(has_ended=False, **facts) is None
    assert unusable_reason(has_ended=True, **facts) is Dead.ENDED
    assert unusable_reason(has_ended=False, **{**facts, "client_enabled": 0}) is Dead.CLIENT_DISABLED
    assert unusable_reason(has_ended=False, **{**facts, "user_suspended_at": 1}) is Dead.PERSON_SUSPENDED
