"""The same server with 1, 2 and 4 processes on both cores, which PostgreSQL and the load generator share with it.

Beside them 1 and 2 processes that reach PostgreSQL through PgBouncer.
"""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from bench import pgbouncer, tables
from bench.contenders import (
    INTROSPECTION,
    REFRESH,
    SECRET,
    Contender,
    cpu_seconds,
    free_port,
    serving,
    smartauth_environment,
)
from bench.cores import BOTH, SERVERS, give_cores
from bench.rounds import Turns, take_turns
from bench.sides import TITLES, Side

ROWS = (INTROSPECTION, SECRET, REFRESH)
HEAD = (
    "| Processes | a second, median (lowest to highest) | p50 ms | p99 ms"
    " | CPU µs a request: server + database, PgBouncer's among it | to one process |\n|---|---|---|---|---|---|"
)


class Processes(NamedTuple):
    """So many of one server, and whether PgBouncer stands before their databases."""

    number: int
    is_pooled: bool = False

    def __str__(self) -> str:
        return f"{self.number}, through PgBouncer" if self.is_pooled else f"{self.number}"


SET_UPS = (Processes(1), Processes(2), Processes(4), Processes(1, is_pooled=True), Processes(2, is_pooled=True))


@dataclass
class Pooled(Contender):
    """A server before whose database another process stands, whose CPU time counts as the database's."""

    pooler: int = 0

    def cpu_seconds(self) -> tuple[float, float]:
        server, database = super().cpu_seconds()
        return server, database + cpu_seconds(self.pooler)


@contextmanager
def several(ours: Contender, folder: Path) -> Iterator[list[Contender]]:
    """Servers with so many processes each, all on the database and with the issuer of `ours`."""
    with ExitStack() as stack:
        pooler = stack.enter_context(pgbouncer.started(folder))
        yield [stack.enter_context(_beside(ours, folder, each, pooler)) for each in SET_UPS]


@contextmanager
def _beside(ours: Contender, folder: Path, how: Processes, pooler: pgbouncer.PgBouncer) -> Iterator[Contender]:
    port, known = free_port(), {each.name: getattr(ours, each.name) for each in fields(Contender)}
    environment = {**smartauth_environment(folder, ours.port), **(pooler.environment() if how.is_pooled else {})}
    with serving(folder, port, how.number, **environment) as process:
        own = {"name": str(how), "port": port, "process": process}
        yield Pooled(**{**known, **own}, pooler=pooler.process if how.is_pooled else 0)


def process_tables(ours: Contender, folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """A section for each row. Both cores are theirs meanwhile."""
    give_cores(BOTH, ours.database)
    with several(ours, folder) as contenders:
        for what in ROWS:
            found = take_turns([Side(each.name, each, what) for each in contenders], folder, options)
            yield f"#### {TITLES[what]}, several processes\n\n{table(found)}"
    give_cores(SERVERS, ours.database)


def table(turns: list[Turns]) -> str:
    """A row for each number of processes."""
    return "\n".join([HEAD, *(_row(turns[0], each) for each in turns)])


def _row(one: Turns, turns: Turns) -> str:
    pairs = zip(one.rounds, turns.rounds, strict=True)
    to_one = tables.bold(tables.spread((more.rate / first.rate for first, more in pairs), ".2f"))
    return f"{tables.measured(turns)} {to_one if turns is not one else ''} |"
