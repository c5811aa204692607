"""Two workers never do the same scheduled task at once; what one leaves undone the next turn does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from accounts import clock
from audit.event_kinds import EventKind
from audit.models import OutboxEvent
from audit.trail import Event, record_events
from smartauth.celery import application
from smartauth.task_lock import ExclusiveTask, task_lock

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
SHIP = "audit.tasks.ship"
application.loader.import_default_modules()  # as a worker does


@contextmanager
def another_worker_runs(task: str) -> Iterator[None]:
    """As in another process: a connection, or an opened file, of its own."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with task_lock(task) as is_ours:
            assert is_ours
            holds.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join(60)


@pytest.fixture
def waiting() -> int:
    record_events(Event(kind=EventKind.SEEDED, at=clock.now()))
    return OutboxEvent.objects.count()


def test_what_another_worker_runs_is_left_to_it(waiting: int) -> None:
    with another_worker_runs(SHIP):
        application.tasks[SHIP]()
        left = OutboxEvent.objects.count()
    application.tasks[SHIP]()

    assert left == waiting
    assert not OutboxEvent.objects.exists()


def test_another_task_is_not_kept_from_running(waiting: int) -> None:
    with another_worker_runs("oauth.tasks.sweep"):
        application.tasks[SHIP]()

    assert not OutboxEvent.objects.exists()


def test_a_task_that_failed_holds_nothing() -> None:
    with pytest.raises(ZeroDivisionError), task_lock(SHIP):
        raise ZeroDivisionError

    with task_lock(SHIP) as is_ours:
        assert is_ours


def test_every_task_of_the_schedule_is_locked() -> None:
    scheduled = {each["task"] for each in application.conf.beat_schedule.values()}

    assert scheduled
    assert all(isinstance(application.tasks[name], ExclusiveTask) for name in scheduled)
