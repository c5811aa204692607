"""A scheduled task runs once at a time, however many workers and schedules there are."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task
from django.conf import settings
from django.db import connections

from accounts.engine import is_on_postgresql
from smart.digests import sha256_hex
from smartauth.data_folder import private_file

log = logging.getLogger("smartauth.tasks")
_LOCK = "SELECT pg_try_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', '0', true)"


class ExclusiveTask(Task):  # type: ignore[misc]  # Celery has no types
    """What another worker runs now is left to it: the next turn of the schedule comes soon."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        with task_lock(self.name) as is_ours:
            if is_ours:
                return super().__call__(*arguments, **named)
        log.info("%s runs in another worker", self.name)
        return None


@contextmanager
def task_lock(name: str) -> Iterator[bool]:
    """Whether the task is ours while the block runs. A worker that dies holds nothing: the engine notices."""
    if not is_on_postgresql():
        with open(private_file(settings.SMARTAUTH_DATA_DIR / f"{name}.lock")) as file:
            yield _is_locked(file.fileno())
        return
    connection = connections["default"].copy()  # its transaction holds the lock, those of the task come and go
    try:
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [int(sha256_hex(name)[:15], 16)])
            (is_ours, _) = cursor.fetchone()
        yield is_ours
    finally:
        connection.close()


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
