"""Writes of one resource at the same moment by separate processes: each was seen to fail without its guard."""

from collections.abc import Iterator
from itertools import chain

import pytest

from tests.races.contender import Contest, contest
from tests.races.fhir_writing import FhirCommands
from tests.running import Server

pytestmark = pytest.mark.race
PROCESSES, THREADS, REPEATS = 10, 5, 20


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, FhirCommands) as made:
        yield made


@pytest.mark.parametrize("repeat", range(REPEATS))
def test_of_fifty_updates_of_the_same_version_one_wins(racers: Contest, repeat: int) -> None:
    name = f"update-{repeat}"
    resource_id = racers.alone("create", name)

    statuses = chain(*racers.everywhere("update", resource_id, 'W/"1"', THREADS))

    assert sorted(statuses) == [200] + [412] * (PROCESSES * THREADS - 1)
    assert racers.alone("numbers", name) == [1, 2]


@pytest.mark.requirement("WR-10")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_of_fifty_conditional_creates_one_creates(racers: Contest, repeat: int) -> None:
    name = f"create-{repeat}"

    statuses = chain(*racers.everywhere("create_once", name, THREADS))

    assert sorted(statuses) == [200] * (PROCESSES * THREADS - 1) + [201]
    assert racers.alone("numbers", name) == [1]


@pytest.mark.requirement("SD-10")
@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_write_that_is_killed_beside_its_event_leaves_neither(server: Server, is_recorded: bool) -> None:
    name = f"unrecorded-{is_recorded}"

    with contest(server, 2, FhirCommands) as two:
        two.contenders[1].do("create", name + "-before")
        two.contenders[0].begin("die_while_recording", name, is_recorded)
        with pytest.raises(EOFError):
            two.contenders[0].end()
        left = two.contenders[1].do("numbers", name)
        unmatched = two.contenders[1].do("unmatched")

    assert (left, unmatched) == ([], [])


@pytest.mark.requirement("BT-02")
def test_a_transaction_that_is_killed_in_the_middle_leaves_nothing(server: Server) -> None:
    names = [f"killed-{number}" for number in range(20)]

    with contest(server, 2, FhirCommands) as two:
        two.contenders[0].begin("die_within", names)
        with pytest.raises(EOFError):
            two.contenders[0].end()
        left = [two.contenders[1].do("numbers", name) for name in names]
        again = two.contenders[1].do("create_once_alone", names[0])

    assert left == [[]] * len(names)
    assert again == 201
