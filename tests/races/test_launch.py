"""One launch handle used at the same moment by separate processes: seen to fail with its lock removed."""

from collections.abc import Iterator

import pytest

from tests.races.contender import Contest, contest
from tests.races.launching import LaunchCommands
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REQUESTS, REPEATS = 10, 20, 20
USED = "launch is unknown, used, expired or for another app"


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, LaunchCommands) as made:
        yield made


@pytest.mark.requirement("AZ-10", "EL-02", "E25")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_one_handle_twenty_times_is_one_request_that_waits(racers: Contest, repeat: int) -> None:
    form = racers.alone("launched")

    outcomes = racers.everywhere("authorize", [form] * (REQUESTS // PROCESSES))

    told = sorted(outcome for outcomes_of_one in outcomes for outcome in outcomes_of_one)
    assert told == [USED] * (REQUESTS - 1) + ["waits"]
    assert racers.alone("waiting", form["client_id"]) == 1
