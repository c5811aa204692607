"""Writing on SQLite: while one transaction is under way requests wait, and the next one takes them together.

SQLite has one writer at a time, and a commit waits for the disk: shared by all that wait it is paid once, and nobody
stands in line for the file. What runs is what runs alone, one after the other, its own transactions as savepoints: no
rule and no statement has a second form. A refusal undoes what is its own. An error of the database undoes all of it;
then each goes alone, unless the database does not answer: all of them are told to come back.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from django.db import Error, OperationalError, connections, transaction

from accounts.engine import is_on_postgresql
from oauth.http.gathering import Batches
from oauth.http.machine_request import MachineRequest
from oauth.http.per_loop import PerLoop
from oauth.http.writer_pool import writer_pool

log = logging.getLogger("smartauth.request")

T = TypeVar("T")
Work = Callable[[], Any]


class Write(NamedTuple):
    """A request that waits, what it does, and where its result goes."""

    request: MachineRequest
    work: Work
    answer: "asyncio.Future[Any]"
    digest: str = ""  # the same token twice may stand in one transaction: one use comes after the other


class Outcome(NamedTuple):
    """What a work has returned or raised."""

    value: Any = None
    error: Exception | None = None


async def write_together(request: MachineRequest, work: Callable[[], T]) -> T:
    """The result of `work`, committed. Raises what it raises, and TemporarilyUnavailable where too many wait."""
    if is_on_postgresql():
        return await writer_pool.run(work)
    found: T = await _shared_transactions().run(request, work)
    return found


class SharedTransactions(Batches[Write]):
    """Where requests wait for the next transaction."""

    async def run(self, request: MachineRequest, work: Work) -> Any:
        return await self.wait(Write(request, work, asyncio.get_running_loop().create_future()))

    async def _answer(self, batch: list[Write]) -> None:
        for write, outcome in zip(batch, await _outcomes(batch), strict=True):
            _tell(write, outcome)


def _tell(write: Write, outcome: Outcome) -> None:
    if write.answer.done():  # who asked has gone
        return
    if outcome.error is None:
        write.answer.set_result(outcome.value)
    else:
        write.answer.set_exception(outcome.error)


async def _outcomes(batch: Sequence[Write]) -> list[Outcome]:
    if len(batch) > 1:
        try:
            return await writer_pool.run(lambda: _in_one_transaction(batch))
        except OperationalError as error:  # the file is held, or the thread may be at it still
            return [Outcome(error=error)] * len(batch)
        except Exception:
            log.exception("%d requests together failed, each goes alone", len(batch))
    return [await _alone(write.work) for write in batch]


async def _alone(work: Work) -> Outcome:
    try:
        return Outcome(await writer_pool.run(work))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where it is waited for
        return Outcome(error=error)


def _in_one_transaction(batch: Sequence[Write]) -> list[Outcome]:
    """All of them committed. Raises what the database raises."""
    proved = [write.request.client for write in batch]
    try:
        with transaction.atomic():
            outcomes = [_outcome(write.work) for write in batch]
            if connections["default"].needs_rollback:
                raise Error("one of them undoes all of them")
        return outcomes
    except BaseException:
        for write, client in zip(batch, proved, strict=True):
            write.request.client = client  # an assertion that was used up here is not used up: it is judged again
        raise


def _outcome(work: Work) -> Outcome:
    try:
        return Outcome(work())
    except Error:
        raise
    except Exception as error:  # noqa: BLE001  # the same
        return Outcome(error=error)


_shared_transactions = PerLoop(SharedTransactions)
