"""The task worker of a development server, with its scheduler, as a child that ends with it."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

COMMAND = (
    *("-m", "celery", "-A", "smartauth", "--quiet", "worker"),
    *("-P", "solo", "-B", "-l", "ERROR", "--without-gossip", "--without-mingle"),
)
STOP_SECONDS = 10


@contextmanager
def task_worker() -> Iterator[None]:
    """Runs while the block does."""
    running = subprocess.Popen(  # noqa: S603  # our own interpreter with fixed arguments
        [sys.executable, *COMMAND, "--schedule", str(settings.CELERY_BEAT_SCHEDULE_FILENAME)],
        cwd=settings.BASE_DIR,
        preexec_fn=_die_with_parent,  # safe: no thread runs yet
    )
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()


def _die_with_parent() -> None:
    """Linux: a worker whose parent was killed would hold the schedule file of the next one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
