"""Gathered writing: while one transaction is under way requests wait, and the next one takes them together.

Each kind of request (its `Work`) has one queue and one `Lane` of an event loop, on PostgreSQL. What is plain is
answered here. What is not goes alone, in a thread: a refusal, a first request, a row that somebody else has locked,
each request of a batch that failed. So the rules of all that exist once, and no other request waits for it.

- Turns: a batch starts a few turns of the loop late, so that those who have just been answered can join it.
- Fairness: one request of each network is taken in turn, and of a network one of each client. Nobody knows yet who
  asks: a stranger may name any client, but in its own network. Of IPv4 a network is one address.
- Bound: where the queue is full, the last one of those who have most in it is told to come back.
- The same token twice: the second waits for the next batch. There it is what it would have been alone: a reuse.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from accounts.engine import is_on_postgresql
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.per_loop import PerLoop
from smart.http.addresses import caller_network
from smart.http.errors import TemporarilyUnavailable

log = logging.getLogger("smartauth.request")

MOST_TOGETHER = 64  # of one transaction: it holds its locks for some milliseconds
MOST_WAITING = 1024
TURNS = 4
SECONDS = 10  # after which a batch has failed, whatever it waits for


class Waiting(NamedTuple):
    """A request that waits, the digest of the token that it uses up or ends, and where its answer goes."""

    request: MachineRequest
    digest: str
    answer: "asyncio.Future[Any]"


AnswerT = TypeVar("AnswerT")
Answers = list[MachineResponse | None]
Work = Callable[[Lane, list[Waiting]], Awaitable[list[AnswerT | None]]]


async def gathered_answer(work: Work[AnswerT], request: MachineRequest, digest: str = "") -> AnswerT | None:
    """The answer, committed; None for what has to go alone. Raises TemporarilyUnavailable.

    On SQLite, which has no round trips to spare, requests share transactions: see `oauth.http.shared_transaction`.
    """
    if not is_on_postgresql():
        return None
    kinds = _kinds_of_loop()
    gathering = kinds.get(work) or kinds.setdefault(work, Gathering(work))
    return await gathering.answer(request, digest)


class Queued(Protocol):
    """What waits in a queue."""

    @property
    def request(self) -> MachineRequest: ...
    @property
    def digest(self) -> str: ...
    @property
    def answer(self) -> "asyncio.Future[Any]": ...


QueuedT = TypeVar("QueuedT", bound=Queued)


class Queue(Generic[QueuedT]):
    """Requests that wait: for each network that asks the lines of the clients that it names, each in its turn."""

    def __init__(self) -> None:
        self._networks: OrderedDict[str, OrderedDict[str, deque[QueuedT]]] = OrderedDict()
        self._lengths: Counter[str] = Counter()  # of all lines of a network
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, waiting: QueuedT) -> None:
        """Puts it at the end of its line. Raises TemporarilyUnavailable where there is no room for it."""
        network, client = caller_network(waiting.request.address), waiting.request.credentials.client_id
        if self._length >= MOST_WAITING:
            self._make_room(network, client)
        self._line(network, client).append(waiting)
        self._lengths[network] += 1
        self._length += 1

    def take(self) -> list[QueuedT]:
        """The next batch: one of each line in turn, each token once."""
        batch: list[QueuedT] = []
        digests: set[str] = set()
        again: list[tuple[str, str, QueuedT]] = []
        while self._networks and len(batch) < MOST_TOGETHER:
            network, client, waiting = self._next()
            if waiting.digest in digests:
                again.append((network, client, waiting))
                continue
            self._count_out(network)
            if not waiting.answer.done():  # done: who asked has gone
                batch.append(waiting)
                digests |= {waiting.digest} - {""}
        for network, client, _ in again:
            self._line(network, client)  # those that were emptied, in the order of arrival
        for network, client, waiting in reversed(again):
            self._line(network, client).appendleft(waiting)
        return batch

    def _line(self, network: str, client: str) -> deque[QueuedT]:
        return self._networks.setdefault(network, OrderedDict()).setdefault(client, deque())

    def _next(self) -> tuple[str, str, QueuedT]:
        network, lines = self._networks.popitem(last=False)
        client, line = lines.popitem(last=False)
        waiting = line.popleft()
        if line:
            lines[client] = line
        if lines:
            self._networks[network] = lines
        return network, client, waiting

    def _count_out(self, network: str) -> None:
        self._length -= 1
        self._lengths[network] -= 1
        if not self._lengths[network]:
            del self._lengths[network]

    def _make_room(self, network: str, client: str) -> None:
        """The last one of the longest line leaves. Raises TemporarilyUnavailable where that is the newcomer's own."""
        most = max(self._lengths.values())
        is_own = most <= self._lengths[network] + 1
        longest = network if is_own else next(each for each, count in self._lengths.items() if count == most)
        lines = self._networks.get(longest, OrderedDict())
        most = max(map(len, lines.values()), default=0)
        if is_own and most <= len(lines.get(client, ())) + 1:
            raise _too_many()
        name = next(each for each, line in lines.items() if len(line) == most)
        last = lines[name].pop()
        if not lines[name]:
            del lines[name]  # the network has others: it had two more than the newcomer's
        self._count_out(longest)
        if not last.answer.done():
            last.answer.set_exception(_too_many())


def _too_many() -> TemporarilyUnavailable:
    return TemporarilyUnavailable("too many requests are waiting, try again", rule="SD-20")


class Batches(ABC, Generic[QueuedT]):
    """Where requests wait on one event loop: one batch of them at a time is under way."""

    def __init__(self) -> None:
        self._queue: Queue[QueuedT] = Queue()
        self._task: asyncio.Task[None] | None = None

    async def wait(self, waiting: QueuedT) -> Any:
        """Its answer. Raises TemporarilyUnavailable where there is no room."""
        self._queue.add(waiting)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return await waiting.answer

    async def _run(self) -> None:
        try:
            while self._queue:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                if batch := self._queue.take():
                    await self._answer(batch)
        finally:
            self._task = None

    @abstractmethod
    async def _answer(self, batch: list[QueuedT]) -> None:
        """Answers each that still waits for it."""


class Gathering(Batches[Waiting], Generic[AnswerT]):
    """Where requests of one kind wait on the running loop, and the lane on which they are answered."""

    def __init__(self, work: Work[AnswerT]) -> None:
        super().__init__()
        self._work, self._lane = work, Lane()
        self._new_answer = asyncio.get_running_loop().create_future

    async def answer(self, request: MachineRequest, digest: str) -> AnswerT | None:
        found: AnswerT | None = await self.wait(Waiting(request, digest, self._new_answer()))
        return found

    async def _answer(self, batch: list[Waiting]) -> None:
        for waiting, answer in zip(batch, await self._answers(batch), strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _answers(self, batch: list[Waiting]) -> list[AnswerT | None]:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._work(self._lane, batch)
        except Exception:
            log.exception("%d requests together failed, each goes alone", len(batch))
            await self._lane.close()
            return [None] * len(batch)


_kinds_of_loop: PerLoop[dict[Work[Any], Gathering[Any]]] = PerLoop(dict)
