"""Workers of one backend service that ask at the same moment: each test was seen to fail with its lock removed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.races.asking import ServiceCommands
from tests.races.contender import Contest, contest
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REQUESTS, REPEATS = 10, 20, 20


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, ServiceCommands) as made:
        yield made


def together(racers: Contest, client_id: str) -> list[tuple[int, Any]]:
    """The answers to all requests of all processes."""
    answers = racers.everywhere("ask", client_id, REQUESTS // PROCESSES)
    return [answer for each in answers for answer in each]


@pytest.mark.requirement("BK-07", "PR-02")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_requests_of_a_new_service_make_one_authorization_and_leave_as_many_tokens_as_it_keeps(
    racers: Contest, repeat: int
) -> None:
    keep = 1 + repeat % 5
    service = racers.alone("service", keep)

    first = together(racers, service)
    answers = [*first, *together(racers, service)]  # the second time on PostgreSQL those of a process go together

    assert [status for status, _ in answers] == [200] * REQUESTS * 2
    assert racers.alone("standing", service) == 1
    assert racers.alone("alive", [answer["access_token"] for _, answer in first]) == 0
    assert racers.alone("alive", [answer["access_token"] for _, answer in answers]) == keep


@pytest.mark.parametrize("repeat", range(REPEATS))
def test_a_service_whose_access_is_ended_meanwhile_holds_no_token_from_before(racers: Contest, repeat: int) -> None:
    service = racers.alone("service", 1000)
    first = together(racers, service)
    operator, *workers = racers.contenders

    operator.begin("end_access", service)
    for worker in workers:
        worker.begin("ask", service, 5)
    operator.end()
    answers = [answer for worker in workers for answer in worker.end()]

    assert {status for status, _ in answers} <= {200, 503}
    assert racers.alone("alive", [answer["access_token"] for _, answer in first]) == 0
    assert racers.alone("standing", service) <= 2
    assert together(racers, service)[0][0] == 200
