"""What a request costs the server in CPU time: that of every process of it, however busy the machine is."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.fuzz.wire import Reply, exchange
from tests.running import Server

# a request costs a few milliseconds; what grows with the square of its length costs half a second and more
BUDGET = 0.25
_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(server: Server) -> float:
    """User and system time that the server's processes have used so far."""
    assert server.running is not None
    return sum(map(_seconds, _processes(server.running.pid)))


def _processes(first: int) -> Iterator[int]:
    """It and what it has started: to look through all of this machine for them takes longer than a request."""
    yield first
    for listed in Path(f"/proc/{first}/task").glob("*/children"):
        with suppress(OSError):  # the thread has just ended
            for child in listed.read_text().split():
                yield from _processes(int(child))


def _seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0
    return (int(fields[11]) + int(fields[12])) / _TICK


def cost(server: Server, request: bytes) -> tuple[Reply, float]:
    """The answer to these bytes, and the CPU time until it was there."""
    before = cpu_seconds(server)
    reply = exchange(server, request)
    return reply, cpu_seconds(server) - before
