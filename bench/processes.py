"""The same server with 1, 2 and 4 processes on both cores, which PostgreSQL and the load generator share with it."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bench import tables
from bench.contenders import (
    INTROSPECTION,
    REFRESH,
    SECRET,
    Contender,
    free_port,
    serving,
    smartauth_environment,
)
from bench.cores import BOTH, SERVERS, give_cores
from bench.rounds import Turns, take_turns
from bench.sides import TITLES, Side

COUNTS = (1, 2, 4)
ROWS = (INTROSPECTION, SECRET, REFRESH)
HEAD = (
    "| Processes | a second, median (lowest to highest) | p50 ms | p99 ms | CPU µs a request: server + database"
    " | to one process |\n|---|---|---|---|---|---|"
)


@contextmanager
def several(ours: Contender, folder: Path) -> Iterator[list[Contender]]:
    """Servers with so many processes each, all on the database and with the issuer of `ours`."""
    with ExitStack() as stack:
        yield [stack.enter_context(_beside(ours, folder, count)) for count in COUNTS]


@contextmanager
def _beside(ours: Contender, folder: Path, count: int) -> Iterator[Contender]:
    port = free_port()
    with serving(folder, port, count, **smartauth_environment(folder, ours.port)) as process:
        yield replace(ours, name=f"{count}", port=port, process=process)


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
