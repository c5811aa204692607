"""Keys rotated at the same moment by separate processes: seen to fail with the lock removed."""

from collections.abc import Iterator

import pytest

from tests.races.contender import Contest, contest
from tests.races.rotating import RotationCommands
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REPEATS = 10, 20


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, RotationCommands) as made:
        yield made


@pytest.mark.requirement("DS-21")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_the_schedule_and_the_command_in_ten_processes_rotate_once(racers: Contest, repeat: int) -> None:
    old, coming = racers.alone("due")

    rotated = racers.everywhere("rotate")

    assert sum(rotated) == 1
    assert racers.alone("standing") == [(coming, "active"), (racers.alone("next"), "next")]
    assert racers.alone("retired", old)


@pytest.mark.requirement("DS-21")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_one_key_rotated_in_haste_by_ten_processes_is_rotated_once(racers: Contest, repeat: int) -> None:
    old, coming = racers.alone("due")

    rotated = racers.everywhere("rotate_in_haste", old)

    assert sum(rotated) == 1
    assert racers.alone("standing") == [(coming, "active"), (racers.alone("next"), "next")]


@pytest.mark.parametrize("repeat", range(REPEATS))
def test_withdrawing_the_next_key_while_it_takes_its_turn_leaves_one_that_signs_and_one_that_waits(
    racers: Contest, repeat: int
) -> None:
    _, coming = racers.alone("due")
    *rotating, withdrawing = racers.contenders

    for racer in rotating:
        racer.begin("rotate")
    withdrawing.begin("withdraw", coming)
    for racer in racers.contenders:
        racer.end()

    assert sorted(state for _, state in racers.alone("standing")) == ["active", "next"]
    assert coming not in {kid for kid, _ in racers.alone("standing")}
