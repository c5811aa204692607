"""What a request costs the server in CPU time: that of every process of its group, however busy the machine is."""

import os
from pathlib import Path

from tests.fuzz.wire import Reply, exchange
from tests.running import Server

# a request costs a few milliseconds; what grows with the square of its length costs half a second and more
BUDGET = 0.25
_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(server: Server) -> float:
    """User and system time that the server's processes have used so far."""
    assert server.running is not None
    return sum(_seconds(stat, server.running.pid) for stat in Path("/proc").glob("[0-9]*/stat"))


def _seconds(stat: Path, group: int) -> float:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0
    return (int(fields[11]) + int(fields[12])) / _TICK if int(fields[2]) == group else 0


def cost(server: Server, request: bytes) -> tuple[Reply, float]:
    """The answer to these bytes, and the CPU time until it was there."""
    before = cpu_seconds(server)
    reply = exchange(server, request)
    return reply, cpu_seconds(server) - before
