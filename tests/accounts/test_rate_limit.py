"""What is counted for a while, and which of many are told in the trail."""

import secrets
from typing import Any

import pytest

from accounts.rate_limit import Count, count, count_failure, seconds_to_wait, without_number

NOW, SECOND = 1_800_000_000_000_000, 1_000_000


@pytest.mark.requirement("SD-20")
def test_of_a_flood_the_first_ten_are_told_and_then_one_at_each_power_of_ten() -> None:
    told = [number for number in range(1, 12_000) if Count(number, 0).is_worth_an_event]

    assert told == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 1000, 10_000]
    assert [Count(number, 0).so_far for number in (1, 10, 100)] == ["", "", "100 so far"]
    assert [Count(number, 0).with_number("guessed") for number in (1, 100)] == ["guessed", "guessed, 100 so far"]


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("later", "number"), [(59, 3), (60, 1)])
def test_a_window_ends_at_its_last_microsecond(later: int, number: int) -> None:
    name = secrets.token_hex(8)
    for _ in range(2):
        count("client", name, "192.0.2.9", now=NOW, seconds=60)

    assert count("client", name, "192.0.2.9", now=NOW + later * SECOND, seconds=60).number == number


@pytest.mark.usefixtures("committed")
def test_kinds_names_and_networks_are_counted_apart() -> None:
    name = secrets.token_hex(8)
    first = [("client", name, "192.0.2.9"), ("account", name, "192.0.2.9"), ("client", name, "192.0.2.10")]

    assert [count(kind, named, address, now=NOW).number for kind, named, address in first] == [1, 1, 1]  # type: ignore[arg-type]
    assert count("client", name, "192.0.2.9", now=NOW).number == 2


@pytest.mark.usefixtures("committed")
@pytest.mark.requirement("PR-08")
def test_a_pause_begins_with_the_failure_that_is_the_limit_and_lasts_to_the_microsecond(settings: Any) -> None:
    settings.SMARTAUTH_FAILURE_LIMIT, settings.SMARTAUTH_FAILURE_WINDOW_SECONDS = 3, 900
    name, ends_at = secrets.token_hex(8), NOW + 900 * SECOND

    waits = [count_failure("account", name, "192.0.2.9", now=NOW) for _ in range(3)]

    assert waits == [0, 0, 900]
    moments = (NOW, ends_at - SECOND - 1, ends_at - SECOND, ends_at - 1, ends_at)
    assert [seconds_to_wait("account", name, "192.0.2.9", now=at) for at in moments] == [900, 2, 1, 1, 0]


@pytest.mark.requirement("SD-20")
def test_a_reason_is_found_again_under_its_number() -> None:
    counted = Count(1000, 0)

    assert counted.with_number("a wrong secret, again") == "a wrong secret, again, 1000 so far"
    assert without_number(counted.with_number("a wrong secret, again")) == "a wrong secret, again"
