"""Gathered writing: while one transaction is under way requests wait, and the next one takes them together.

Each kind of request (its `Work`) has one queue and one `Lane` of an event loop, on PostgreSQL. What is plain is
answered here. What is not goes alone, in a thread: a refusal, a first request, a row that somebody else has locked,
each request of a batch that failed. So the rules of all that exist once, and no other request waits for it.

- Turns: a batch starts a few turns of the loop late, so that those who have just been answered can join it.
- Fairness: each client has a line of its own, and one request of each line is taken in turn. Who signs an assertion
  waits among those of its address: nobody knows yet whose it is.
- Bound: who finds the queue full is told to come back.
- The same token twice: the second waits for the next batch. There it is what it would have been alone: a reuse.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from accounts.engine import is_on_postgresql
from oauth.http.lane import Lane
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.per_loop import PerLoop
from smart.http.errors import TemporarilyUnavailable

log = logging.getLogger("smartauth.request")

MOST_TOGETHER = 64  # of one transaction: it holds its locks for some milliseconds
MOST_WAITING = 1024
MOST_OF_ONE_LINE = 512
TURNS = 4
SECONDS = 10  # after which a batch has failed, whatever it waits for


class Waiting(NamedTuple):
    """A request that waits, the digest of the token that it uses up or ends, and where its answer goes.

    `line` is the one in which it waits: its client's, as far as anybody knows who asks.
    """

    request: MachineRequest
    digest: str
    answer: "asyncio.Future[Any]"
    line: str


AnswerT = TypeVar("AnswerT")
Answers = list[MachineResponse | None]
Work = Callable[[Lane, list[Waiting]], Awaitable[list[AnswerT | None]]]


async def gathered_answer(
    work: Work[AnswerT], request: MachineRequest, digest: str = "", *, line: str = ""
) -> AnswerT | None:
    """The answer, committed; None for what has to go alone. Raises TemporarilyUnavailable.

    On SQLite, which has no round trips to spare, requests share transactions: see `oauth.http.shared_transaction`.
    """
    if not is_on_postgresql():
        return None
    kinds = _kinds_of_loop()
    gathering = kinds.get(work) or kinds.setdefault(work, Gathering(work))
    return await gathering.answer(request, digest, line or request.credentials.client_id)


class Queued(Protocol):
    """What waits in a queue."""

    @property
    def line(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def answer(self) -> "asyncio.Future[Any]": ...


QueuedT = TypeVar("QueuedT", bound=Queued)


class Queue(Generic[QueuedT]):
    """Requests that wait, in a line for each client, or for each address where no client is known."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[QueuedT]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, waiting: QueuedT) -> None:
        """Puts it at the end of its line. Raises TemporarilyUnavailable where there is no room."""
        if self._length >= MOST_WAITING or len(self._lines.get(waiting.line, ())) >= MOST_OF_ONE_LINE:
            raise TemporarilyUnavailable("too many requests are waiting, try again", rule="SD-20")
        self._lines.setdefault(waiting.line, deque()).append(waiting)
        self._length += 1

    def take(self) -> list[QueuedT]:
        """The next batch: one of each line in turn, each token once."""
        batch: list[QueuedT] = []
        digests: set[str] = set()
        again: list[QueuedT] = []
        while self._lines and len(batch) < MOST_TOGETHER:
            name, line = self._lines.popitem(last=False)
            waiting = line.popleft()
            if line:
                self._lines[name] = line
            if waiting.digest in digests:
                again.append(waiting)
                continue
            self._length -= 1
            if not waiting.answer.done():  # done: who asked has gone
                batch.append(waiting)
                digests |= {waiting.digest} - {""}
        for waiting in reversed(again):
            self._lines.setdefault(waiting.line, deque()).appendleft(waiting)
        return batch


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

    async def answer(self, request: MachineRequest, digest: str, line: str) -> AnswerT | None:
        waiting = Waiting(request, digest, self._new_answer(), line)
        found: AnswerT | None = await self.wait(waiting)
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
