"""The threads in which the machines' side writes, and what a database that does not answer raises."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

T = TypeVar("T")
SECONDS = 30  # after which somebody who waits is told to come back

# psycopg or sqlite3: what asks it without Django's cursors is raised its own errors.
_DRIVER = cast(Any, connections["default"]).Database
DATABASE_ERRORS = (OperationalError, InterfaceError, _DRIVER.OperationalError, _DRIVER.InterfaceError)


class WriterPool:
    """A small pool of threads for what writes: each call is one plain function with a transaction of its own."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="writer")

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, run in a thread. A connection that broke is renewed and the work done again.

        Raises OperationalError where that takes too long, as a commit does whose synchronous standby is away: then
        nobody knows whether it is done.
        """
        try:
            async with asyncio.timeout(SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._pool, _run_with_renewal, work)
        except TimeoutError:
            raise OperationalError("the database took too long") from None


def _run_with_renewal(work: Callable[[], T]) -> T:
    connection = connections["default"]
    try:
        return work()
    except (OperationalError, InterfaceError):
        if connection.is_usable():
            raise
        connection.close()
        return work()


writer_pool = WriterPool(settings.SMARTAUTH_TOKEN_THREADS)
