"""On which processor cores the servers run, those that run already and those that are started from now on."""

import os
from contextlib import suppress

from bench.contenders import children

SERVERS = frozenset({0})  # the load generator has the other one
BOTH = frozenset({0, 1})


def give_cores(cores: frozenset[int], database: int) -> None:
    """For this process and PostgreSQL; what they start inherits it."""
    for process in (os.getpid(), database, *children(database)):
        with suppress(ProcessLookupError):  # a process of PostgreSQL that has just ended
            os.sched_setaffinity(process, cores)
