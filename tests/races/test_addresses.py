"""Uses from several addresses at the same moment by separate processes: each was seen to fail without its guard."""

from collections.abc import Iterator

import pytest

from tests.races.binding import BindingCommands, used
from tests.races.contender import Contest, contest
from tests.races.refreshing import refresh
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REQUESTS, REPEATS = 10, 20, 20
HOME, ELSEWHERE = "203.0.113.5", "198.51.100.9"


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, BindingCommands) as made:
        yield made


@pytest.mark.requirement("PR-04", "SD-06")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_of_many_first_uses_from_different_addresses_exactly_one_binds(racers: Contest, repeat: int) -> None:
    ((token, form),) = racers.alone("under", "block", 1)
    addresses = [f"203.0.113.{number}" for number in range(REQUESTS)]

    answers = racers.post("/o/introspect", [used(token, address) for address in addresses])

    assert [status for status, _ in answers] == [200] * REQUESTS
    assert sum(answer["active"] for _, answer in answers) == 1
    bound = racers.alone("bound", form["client_id"])
    again = [racers.contenders[0].do("here", used(token, address)) for address in (bound, ELSEWHERE)]
    assert [answer["active"] for answer in again] == [True, False]


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_many_uses_from_one_other_address_are_one_event_and_one_block(racers: Contest, repeat: int) -> None:
    ((token, form),) = racers.alone("under", "block", 1)
    racers.contenders[0].do("here", used(token, HOME))

    answers = racers.post("/o/introspect", [used(token, ELSEWHERE)] * REQUESTS)

    assert answers == [(200, {"active": False})] * REQUESTS
    assert racers.alone("changes", form["client_id"]) == [ELSEWHERE]
    assert racers.alone("blocks", form["client_id"]) == 1


@pytest.mark.requirement("PR-06", "RV-09")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_what_is_ended_elsewhere_during_a_refresh_leaves_nothing_alive(racers: Contest, repeat: int) -> None:
    launches = racers.alone("under", "end", PROCESSES // 2)
    thieves, apps = racers.contenders[: PROCESSES // 2], racers.contenders[PROCESSES // 2 :]
    for token, _ in launches:
        racers.contenders[0].do("here", used(token, HOME))

    for thief, app, (token, form) in zip(thieves, apps, launches, strict=True):
        thief.begin("post", "/o/introspect", [used(token, ELSEWHERE)])
        app.begin("post", "/o/token", [form])
    stopped = [answer for thief in thieves for _, answer in thief.end()]
    refreshed = [answer for app in apps for answer in app.end()]

    assert stopped == [{"active": False}] * len(launches)
    assert {(status, answer.get("error")) for status, answer in refreshed} <= {(200, None), (400, "invalid_grant")}
    assert racers.alone("alive", [token for token, _ in launches]) == 0
    # a refresh that came first has ended the token that the thief holds: nothing was used elsewhere then
    for (_, form), (status, answer) in zip(launches, refreshed, strict=True):
        moved = racers.alone("changes", form["client_id"])
        assert status == 200 or moved == [ELSEWHERE]  # nothing else refuses a refresh
        if status == 200 and moved:
            assert racers.alone("alive", [answer["access_token"]]) == 0
            again = refresh(form["client_id"], answer["refresh_token"])
            assert racers.alone("quietly", [again])[0][0] == 400
