"""Refreshes at the same moment by separate processes: each test was seen to fail with its lock removed."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.races.contender import Contest, contest
from tests.races.refreshing import RefreshCommands, refresh
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REQUESTS, REPEATS = 10, 20, 20
DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, RefreshCommands) as made:
        yield made


def errors(answers: list[tuple[int, Any]]) -> list[tuple[int, str]]:
    return [(status, answer["error"]) for status, answer in answers if status != 200]


def given(answers: list[tuple[int, Any]]) -> list[dict[str, Any]]:
    return [answer for status, answer in answers if status == 200]


@pytest.mark.requirement("E94", "RF-04")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_one_refresh_token_twenty_times_is_one_answer_and_then_none(racers: Contest, repeat: int) -> None:
    ((first, form),) = racers.alone("launches", 1)

    answers = racers.post("/o/token", [form] * REQUESTS)

    (second,) = given(answers)
    assert errors(answers) == [(400, "invalid_grant")] * (REQUESTS - 1)
    assert racers.alone("alive", [first, second["access_token"]]) == 0
    again = racers.alone("quietly", [refresh(form["client_id"], second["refresh_token"])])
    assert errors(again) == [(400, "invalid_grant")]


@pytest.fixture
def expiries(racers: Contest) -> Iterator[None]:
    """What the racers issue lies on PostgreSQL in a partition of each racer's own, as far as there are so many."""
    for number, racer in enumerate(racers.contenders):
        racer.do("idle", (number % 4 * 30 + 1) * DAY_SECONDS)
    yield
    for racer in racers.contenders:
        racer.do("idle", 92 * DAY_SECONDS)


@pytest.mark.requirement("E94", "RF-04")
@pytest.mark.usefixtures("expiries")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_one_refresh_token_has_one_successor_also_where_no_constraint_spans_those_that_might_be(
    racers: Contest, repeat: int
) -> None:
    ((_, form),) = racers.alone("launches", 1)

    answers = racers.post("/o/token", [form] * REQUESTS)

    assert len(given(answers)) == 1
    assert racers.alone("successors", form["refresh_token"]) == 1


@pytest.fixture
def grace(racers: Contest) -> Iterator[None]:
    racers.everywhere("grace", 30)
    yield
    racers.everywhere("grace", 0)


@pytest.mark.requirement("RF-05", "E94")
@pytest.mark.usefixtures("grace")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_within_the_grace_window_twenty_refreshes_get_one_and_the_same_answer(racers: Contest, repeat: int) -> None:
    ((first, form),) = racers.alone("launches", 1)

    answers = racers.post("/o/token", [form] * REQUESTS)

    assert errors(answers) == []
    second = given(answers)[0]
    assert given(answers) == [second] * REQUESTS
    assert racers.alone("alive", [first, second["access_token"]]) == 1
    again = racers.alone("quietly", [refresh(form["client_id"], second["refresh_token"])])
    assert errors(again) == []


@pytest.mark.requirement("PR-01", "PR-02")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_many_tabs_that_launch_at_once_leave_one_family_alive(racers: Contest, repeat: int) -> None:
    forms = racers.alone("codes", PROCESSES)

    answers = given(racers.post("/o/token", forms))

    assert len(answers) == PROCESSES
    assert racers.alone("alive", [answer["access_token"] for answer in answers]) == 1
    refreshes = [refresh(forms[0]["client_id"], answer["refresh_token"]) for answer in answers]
    assert len(given(racers.alone("quietly", refreshes))) == 1


@pytest.mark.requirement("PR-01", "PR-02")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_tabs_that_share_a_seat_and_refresh_at_once_take_each_number_once(racers: Contest, repeat: int) -> None:
    launches = racers.alone("codes", PROCESSES)
    client_id = launches[0]["client_id"]
    racers.alone("keep", client_id, PROCESSES)
    tabs = given(racers.alone("quietly", launches))

    answers = given(racers.post("/o/token", [refresh(client_id, tab["refresh_token"]) for tab in tabs]))

    assert len(answers) == PROCESSES
    assert racers.alone("numbers", client_id) == (list(range(1, 2 * PROCESSES + 1)), 2 * PROCESSES)
    assert racers.alone("alive", [tab["access_token"] for tab in tabs]) == 0
    assert racers.alone("alive", [answer["access_token"] for answer in answers]) == PROCESSES


@pytest.mark.requirement("PR-01", "PR-02")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_refreshing_while_another_tab_launches_leaves_the_family_that_holds_the_live_token(
    racers: Contest, repeat: int
) -> None:
    launch, *codes = racers.alone("codes", PROCESSES)
    ((_, old),) = racers.alone("quietly", [launch])
    client_id = launch["client_id"]

    answers = racers.post("/o/token", [refresh(client_id, old["refresh_token"]), *codes])

    refreshed, *launched = answers  # one form a process: they come as they were sent
    assert [status for status, _ in launched] == [200] * len(codes)
    live = [answer for _, answer in launched if racers.alone("alive", [answer["access_token"]])]
    assert len(live) == 1
    assert refreshed[0] == 400 or not racers.alone("alive", [refreshed[1]["access_token"]])
    assert given(racers.alone("quietly", [refresh(client_id, live[0]["refresh_token"])]))


@pytest.mark.requirement("E92", "SCP-17", "RF-08")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_signing_out_during_a_refresh_leaves_nothing_of_online_access_alive(racers: Contest, repeat: int) -> None:
    session = secrets.token_hex(8)
    launches = racers.alone("online", PROCESSES - 1, session)
    leaving, *apps = racers.contenders

    leaving.begin("sign_out", session)
    for app, (_, form) in zip(apps, launches, strict=True):
        app.begin("post", "/o/token", [form])
    leaving.end()
    answers = [answer for app in apps for answer in app.end()]

    assert set(errors(answers)) <= {(400, "invalid_grant")}
    assert racers.alone("alive", [first for first, _ in launches]) == 0
    assert racers.alone("alive", [answer["access_token"] for answer in given(answers)]) == 0
    left = [
        refresh(form["client_id"], answer["refresh_token"]) if status == 200 else form
        for (_, form), (status, answer) in zip(launches, answers, strict=True)
    ]
    assert given(racers.alone("quietly", left)) == []
