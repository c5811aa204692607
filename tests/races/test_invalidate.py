"""Access ended while others get some, by separate processes: each test was seen to fail without what protects it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.races.contender import Contest, contest
from tests.races.invalidating import InvalidateCommands
from tests.races.refreshing import refresh
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, REPEATS = 10, 20
TARGETS = ("sub", "client_id", "patient")


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, InvalidateCommands) as made:
        yield made


def raced(racers: Contest, target: dict[str, str], name: str, *arguments: tuple[Any, ...]) -> list[Any]:
    """What the others got while one ended the target, all begun at one moment."""
    ending, *others = racers.contenders
    ending.begin("invalidate", target)
    for other, own in zip(others, arguments, strict=True):
        other.begin(name, *own)
    status, _ = ending.end()
    assert status == 200
    return [other.end() for other in others]


def nothing_lives(racers: Contest, answers: list[tuple[int, Any]], client_id: str) -> None:
    """Whatever was answered 200 is dead, the refresh tokens too; whatever else was answered is a clean refusal."""
    given = [answer for status, answer in answers if status == 200]
    assert {(status, answer["error"]) for status, answer in answers if status != 200} <= {(400, "invalid_grant")}
    assert racers.alone("alive", [answer["access_token"] for answer in given]) == 0
    refreshes = [refresh(client_id, answer["refresh_token"]) for answer in given if "refresh_token" in answer]
    assert [status for status, _ in racers.alone("quietly", refreshes)] == [400] * len(refreshes)


@pytest.mark.requirement("SD-05", "RV-09")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_no_code_that_is_exchanged_meanwhile_gives_a_token_that_lives(racers: Contest, repeat: int) -> None:
    forms, targets = racers.alone("side_by_side", PROCESSES - 1)

    answers = raced(racers, targets[TARGETS[repeat % 3]], "post", *(("/o/token", [form]) for form in forms))

    nothing_lives(racers, [answer for (answer,) in answers], forms[0]["client_id"])


@pytest.mark.requirement("SD-05", "RV-09")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_no_refresh_meanwhile_gives_a_token_that_lives(racers: Contest, repeat: int) -> None:
    forms, targets = racers.alone("side_by_side", PROCESSES - 1)
    client_id = forms[0]["client_id"]
    before = [answer for _, answer in racers.alone("quietly", forms)]
    refreshes = [refresh(client_id, answer["refresh_token"]) for answer in before]

    answers = raced(racers, targets[TARGETS[repeat % 3]], "post", *(("/o/token", [form]) for form in refreshes))

    assert racers.alone("alive", [answer["access_token"] for answer in before]) == 0
    nothing_lives(racers, [answer for (answer,) in answers], client_id)


def test_consents_that_nobody_disturbs_each_give_a_token(racers: Contest) -> None:
    client_id, _ = racers.alone("app_for_amy")
    for person in racers.contenders:
        person.do("asked", client_id)

    codes = racers.everywhere("allow")

    assert [status for status, _ in racers.alone("quietly", codes)] == [200] * PROCESSES


@pytest.mark.requirement("SD-05", "RV-09")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_no_consent_meanwhile_slips_through(racers: Contest, repeat: int) -> None:
    client_id, targets = racers.alone("app_for_amy")
    for person in racers.contenders[1:]:
        person.do("asked", client_id)

    codes = raced(racers, targets[TARGETS[repeat % 3]], "allow", *[()] * (PROCESSES - 1))

    answers = racers.alone("quietly", [code for code in codes if code])
    assert {status for status, _ in answers} <= {400}


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_endings_that_overlap_do_not_stop_each_other(racers: Contest, repeat: int) -> None:
    forms, targets = racers.alone("side_by_side", 30)
    tokens = [answer["access_token"] for _, answer in racers.alone("quietly", forms)]

    for number, contender in enumerate(racers.contenders):
        contender.begin("invalidate", targets[TARGETS[number % 3]])
    answers = [contender.end() for contender in racers.contenders]

    assert [status for status, _ in answers] == [200] * PROCESSES
    assert sum(answer["authorizations"] for _, answer in answers) == len(forms)
    assert racers.alone("alive", tokens) == 0


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_reports_at_once_are_all_counted_and_end_the_access_once(racers: Contest, repeat: int) -> None:
    forms, _ = racers.alone("side_by_side", 1)
    ((_, answer),) = racers.alone("quietly", forms)

    statuses = racers.everywhere("report", answer["access_token"], 3)  # 30 in all: the limit

    assert statuses == [[204] * 3] * PROCESSES
    assert racers.alone("alive", [answer["access_token"]]) == 0
    assert racers.alone("events", "refusals-reached", forms[0]["client_id"]) == 1


@pytest.mark.requirement("SD-05")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_reports_that_are_each_too_many_end_the_access_once(racers: Contest, repeat: int) -> None:
    forms, _ = racers.alone("side_by_side", 1)
    ((_, answer),) = racers.alone("quietly", forms)

    statuses = racers.everywhere("report", answer["access_token"], 1, 30)

    assert statuses == [[204]] * PROCESSES
    assert racers.alone("alive", [answer["access_token"]]) == 0
    assert racers.alone("events", "refusals-reached", forms[0]["client_id"]) == 1
