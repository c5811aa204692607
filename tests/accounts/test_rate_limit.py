"""What is counted for a while, and which of many are told in the trail."""

import secrets

import pytest

from accounts.rate_limit import Count, count

NOW, SECOND = 1_800_000_000_000_000, 1_000_000


@pytest.mark.requirement("SD-20")
def test_of_a_flood_the_first_ten_are_told_and_then_one_at_each_power_of_ten() -> None:
    told = [number for number in range(1, 12_000) if Count(number, 0).is_worth_an_event]

    assert told == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 1000, 10_000]
    assert [Count(number, 0).so_far for number in (1, 10, 100)] == ["", "", "100 so far"]


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("later", "number"), [(59, 3), (60, 1)])
def test_a_window_ends_at_its_last_microsecond(later: int, number: int) -> None:
    name = secrets.token_hex(8)
    for _ in range(2):
        count("waiting request", name, "192.0.2.9", now=NOW, seconds=60)

    assert count("waiting request", name, "192.0.2.9", now=NOW + later * SECOND, seconds=60).number == number


@pytest.mark.usefixtures("committed")
def test_kinds_names_and_networks_are_counted_apart() -> None:
    name = secrets.token_hex(8)
    first = [("client", name, "192.0.2.9"), ("account", name, "192.0.2.9"), ("client", name, "192.0.2.10")]

    assert [count(kind, named, address, now=NOW).number for kind, named, address in first] == [1, 1, 1]  # type: ignore[arg-type]
    assert count("client", name, "192.0.2.9", now=NOW).number == 2
