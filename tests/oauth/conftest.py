"""What tests of the people's side and of rows that others lock may ask for."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import pytest
from django.db import connection, connections

from tests.conftest import App
from tests.fixture_types import MakeVisitor
from tests.oauth.visitor import Visitor


class WorkElsewhere(Protocol):
    def __call__(self, work: Callable[[], Any]) -> "Future[Any]": ...


@pytest.fixture
def visitor(app: App) -> Visitor:
    """Somebody with a fresh browser."""
    return Visitor(app)


@pytest.fixture
def make_visitor(app: App) -> MakeVisitor:
    """More people with browsers of their own."""
    return lambda: Visitor(app)


@pytest.fixture
def work_elsewhere() -> Iterator[WorkElsewhere]:
    """Something done in a thread, on a database connection of its own."""

    def done(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(done, work)


def is_waited_for() -> bool:
    """Whether somebody waits for a lock of ours. SQLite does not tell: it has one lock, which we hold already."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return bool(cursor.fetchone()[0])
