"""Requests that wait are answered together, each client in its turn, and nobody pays for another one's failure."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from oauth.http import gathering
from oauth.http.credentials import Credentials
from oauth.http.gathering import Answers, Gathering, Queue, Waiting
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from smart.http.errors import TemporarilyUnavailable
from smart.http.parameters import Parameters

pytestmark = pytest.mark.one_engine
Batch = list[tuple[str, str]]


HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"


def machine_request(client: str, address: str = HERE) -> MachineRequest:
    return MachineRequest("/o/token", {}, address, Parameters([]), Credentials(client, None), now=1)


def waiting(client: str, address: str = HERE, digest: str = "") -> Waiting:
    return Waiting(machine_request(client, address), digest, asyncio.get_running_loop().create_future())


class Work:
    """Notes each batch by its clients and digests, and answers each request with the name of its client."""

    def __init__(self, then: Callable[[Batch], None] = lambda batch: None) -> None:
        self.batches: list[Batch] = []
        self._then = then

    async def __call__(self, lane: Lane, batch: list[Waiting]) -> Answers:
        found = [(each.request.credentials.client_id, each.digest) for each in batch]
        self.batches.append(found)
        self._then(found)
        await asyncio.sleep(0.001)
        return [MachineResponse(200, client.encode()) for client, _ in found]


def ask(work: Work, *asked: tuple[str, str]) -> list[Any]:
    """The bodies of the answers, None or what was raised, for these clients and digests at one moment."""

    async def all_at_once() -> list[Any]:
        gathered = Gathering(work)
        answers = [gathered.answer(machine_request(client), digest) for client, digest in asked]
        return await asyncio.gather(*answers, return_exceptions=True)

    return [answer.body if isinstance(answer, MachineResponse) else answer for answer in asyncio.run(all_at_once())]


def test_what_arrives_together_is_one_batch_and_each_gets_its_own_answer() -> None:
    work = Work()

    answers = ask(work, *[(f"client-{number}", "") for number in range(50)])

    assert answers == [f"client-{number}".encode() for number in range(50)]
    assert [len(batch) for batch in work.batches] == [50]


@pytest.mark.requirement("SD-20")
def test_a_batch_has_a_bound_and_what_is_left_is_the_next_one() -> None:
    work = Work()

    answers = ask(work, *[("client", "")] * 150)

    assert answers == [b"client"] * 150
    assert [len(batch) for batch in work.batches] == [64, 64, 22]


@pytest.mark.requirement("SD-20")
def test_no_client_fills_a_batch_while_others_wait() -> None:
    work = Work()

    ask(work, *[("greedy", "")] * 300, ("first", ""), ("second", ""), ("second", ""))

    clients = [[client for client, _ in batch] for batch in work.batches]
    assert clients[0][:5] == ["greedy", "first", "second", "greedy", "second"]
    assert sum(batch.count("greedy") for batch in clients) == 300


def test_of_two_that_bring_one_token_the_second_waits_and_keeps_its_place_in_its_line() -> None:
    work = Work()

    ask(work, ("app", "token"), ("app", "token"), ("app", "other"), ("app", "token"))

    assert work.batches == [[("app", "token"), ("app", "other")], [("app", "token")], [("app", "token")]]


def test_of_three_networks_that_bring_one_token_each_has_its_turn_by_its_arrival() -> None:
    async def taken() -> list[str]:
        queue, networks = Queue[Waiting](), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        for address in networks:
            queue.add(waiting("app", address, "token"))
        return [each.request.address for _ in networks for each in queue.take()]

    assert asyncio.run(taken()) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_a_token_brought_often_keeps_no_other_request_of_that_client_waiting() -> None:
    work = Work()

    ask(work, *[("app", "token")] * 40, ("app", "good"))

    assert ("app", "good") in work.batches[0]
    assert len(work.batches) == 40


@pytest.mark.requirement("SD-20")
def test_a_stranger_who_names_a_client_has_the_turns_of_its_own_network_alone() -> None:
    async def taken() -> list[str]:
        queue = Queue[Waiting]()
        for each in [waiting("app", ELSEWHERE)] * 70 + [waiting(f"invented-{n}", ELSEWHERE) for n in range(70)]:
            queue.add(each)
        for _ in range(3):
            queue.add(waiting("app"))
        return [each.request.address for each in queue.take()][:7]

    assert asyncio.run(taken()) == [ELSEWHERE, HERE, ELSEWHERE, HERE, ELSEWHERE, HERE, ELSEWHERE]


def fill(*asked: tuple[str, str, int], then: tuple[str, str]) -> tuple[list[tuple[str, str]], bool]:
    """Who is told to come back of a full queue, so many of each client at an address, when one more comes; and
    whether that one is let in."""

    async def filled() -> tuple[list[tuple[str, str]], bool]:
        queue = Queue[Waiting]()
        waited = [waiting(client, address) for client, address, count in asked for _ in range(count)]
        for each in waited:
            queue.add(each)
        try:
            queue.add(waiting(*then))
        except TemporarilyUnavailable:
            is_in = False
        else:
            is_in = True
        assert len(queue) == gathering.MOST_WAITING
        refused = [each for each in waited if each.answer.done()]
        assert all(isinstance(each.answer.exception(), TemporarilyUnavailable) for each in refused)
        assert sum(len(queue.take()) for _ in range(20)) == gathering.MOST_WAITING
        assert len(queue) == 0
        return [(each.request.credentials.client_id, each.request.address) for each in refused], is_in

    return asyncio.run(filled())


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize(
    ("asked", "then", "expected"),
    [
        ([("app", ELSEWHERE, 1024)], ("app", HERE), [("app", ELSEWHERE)]),
        ([("app", ELSEWHERE, 500), ("x", ELSEWHERE, 501), ("y", HERE, 23)], ("app", HERE), [("x", ELSEWHERE)]),
        ([("greedy", HERE, 1000), ("other", HERE, 24)], ("other", HERE), [("greedy", HERE)]),
        ([("x", ELSEWHERE, 511), ("greedy", HERE, 500), ("other", HERE, 13)], ("other", HERE), [("greedy", HERE)]),
    ],
    ids=["of a stranger", "of the client that a stranger names most", "of a greedy client", "of its own network"],
)
def test_in_a_full_queue_the_last_one_of_the_longest_line_makes_room(
    asked: list[tuple[str, str, int]], then: tuple[str, str], expected: list[tuple[str, str]]
) -> None:
    assert fill(*asked, then=then) == (expected, True)


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize(
    ("asked", "then"),
    [
        ([("app", HERE, 1024)], ("app", HERE)),
        ([("app", HERE, 512), ("app", ELSEWHERE, 512)], ("app", HERE)),
        ([("app", HERE, 512), ("other", HERE, 512)], ("other", HERE)),
        ([(f"client-{n}", f"192.0.{n // 250}.{n % 250}", 1) for n in range(1024)], ("app", ELSEWHERE)),
    ],
    ids=["one line alone", "of two networks", "of two clients", "of a thousand networks"],
)
def test_who_finds_no_room_and_has_most_is_told_to_come_back(
    asked: list[tuple[str, str, int]], then: tuple[str, str]
) -> None:
    assert fill(*asked, then=then) == ([], False)


@pytest.mark.requirement("SD-20")
def test_who_is_told_to_come_back_hears_when() -> None:
    answers = ask(Work(), *[("client", "")] * 1100)

    refused = [answer for answer in answers if isinstance(answer, TemporarilyUnavailable)]
    assert len(refused) == 1100 - 1024
    assert {(each.status, each.headers["Retry-After"]) for each in refused} == {(503, "5")}


def test_of_a_batch_that_failed_each_goes_alone_and_the_next_one_is_as_before() -> None:
    failures = [ValueError("a digest is taken")]

    def fail_once(batch: Batch) -> None:
        if failures:
            raise failures.pop()

    work = Work(fail_once)

    assert ask(work, *[("client", "")] * 70) == [None] * 64 + [b"client"] * 6


def test_a_batch_that_waits_for_ever_fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SECONDS", 0.01)

    async def hang(lane: Lane, batch: list[Waiting]) -> Answers:
        await asyncio.Event().wait()
        return []

    async def wait_for_it() -> object:
        return await Gathering(hang).answer(machine_request("client"), "")

    assert asyncio.run(wait_for_it()) is None


def test_who_hangs_up_while_waiting_is_left_out_of_the_batch() -> None:
    async def leave_one() -> list[Waiting]:
        queue, stays, leaves = Queue[Waiting](), waiting("stays"), waiting("leaves")
        queue.add(leaves)
        queue.add(stays)
        leaves.answer.cancel()
        batch = queue.take()
        assert len(queue) == 0
        return [each for each in batch if each is not stays]

    assert asyncio.run(leave_one()) == []
