"""Codes exchanged at the same moment by separate processes: each test was seen to fail with its lock removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.races.contender import Contest, contest
from tests.races.exchanging import ExchangeCommands
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REQUESTS, REPEATS = 10, 20, 20


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, ExchangeCommands) as made:
        yield made


@pytest.fixture
def _gathered(racers: Contest, vendor: str) -> Iterator[None]:
    """On PostgreSQL these codes are exchanged together: it is seen that they were."""
    racers.everywhere("committed")
    yield
    assert vendor != "postgresql" or sum(racers.everywhere("committed")) > 0


@pytest.mark.requirement("PR-02", "SD-03")
@pytest.mark.usefixtures("_gathered")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_twenty_codes_of_one_client_person_and_base_leave_one_token_alive(racers: Contest, repeat: int) -> None:
    forms = racers.alone("make", REQUESTS)

    answers = racers.post("/o/token", forms)

    assert [status for status, _ in answers] == [200] * REQUESTS
    assert racers.alone("alive", [answer["access_token"] for _, answer in answers]) == 1


@pytest.mark.requirement("CG-05", "E78", "CG-04")
@pytest.mark.usefixtures("_gathered")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_one_code_twenty_times_is_one_token_and_then_none(racers: Contest, repeat: int) -> None:
    forms = racers.alone("make", 1) * REQUESTS

    answers = racers.post("/o/token", forms)

    bought = [answer for status, answer in answers if status == 200]
    refused = [(status, answer["error"]) for status, answer in answers if status != 200]
    assert len(bought) == 1
    assert refused == [(400, "invalid_grant")] * (REQUESTS - 1)
    assert racers.alone("alive", [answer["access_token"] for answer in bought]) == 0


@pytest.fixture(scope="module")
def two(server: Server) -> Iterator[Contest]:
    with contest(server, 2, ExchangeCommands) as made:
        yield made


@pytest.mark.requirement("CG-05", "E78", "CG-04")
@pytest.mark.parametrize("repeat", range(3))
def test_codes_that_two_processes_exchange_in_opposite_order_each_buy_once_and_nobody_waits_in_a_circle(
    two: Contest, vendor: str, repeat: int
) -> None:
    forms = two.alone("launches", 8, 8)
    first, second = two.contenders

    first.begin("post", "/o/token", forms)
    second.begin("post", "/o/token", forms[::-1])
    answers = zip(first.end(), second.end()[::-1], strict=True)

    assert [sorted(status for status, _ in pair) for pair in answers] == [[200, 400]] * len(forms)
    assert "DeadlockDetected" not in [name for names in two.everywhere("failures") for name in names]
    assert vendor != "postgresql" or sum(two.everywhere("committed")) > 0


@pytest.mark.requirement("SB-07")
@pytest.mark.parametrize("repeat", range(5))
def test_processes_that_start_for_the_first_time_together_end_with_the_same_secrets(
    racers: Contest, repeat: int, tmp_path: Path
) -> None:
    racers.alone("forget_keys")

    found = racers.everywhere("first_start", str(tmp_path))

    assert len({secret for secret, _ in found}) == 1
    assert len({tuple(kids) for _, kids in found}) == 1
    assert len(found[0][1]) == 2
