"""Whether a server with many rows is as fast as one with few, and what it costs to delete those that are over."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import psycopg

from bench import peers, tables
from bench.contenders import INTROSPECTION, ROOT, SECRET, Contender, smartauth, smartauth_environment
from bench.rounds import Round, measure, take_turns
from bench.sides import TITLES, Side

SIZES = (1_000, 100_000, 2_000_000)
OVER = 2_000_000
QUIET, QUIET_ROUNDS = "nothing is deleted", 5
KINDS = {"access_token": "access tokens, as a partition", "refresh_token": "refresh tokens, as a partition"}


@dataclass(frozen=True)
class Bench:
    """What both need."""

    folder: Path
    key: Path
    database: int
    options: argparse.Namespace

    def measure(self, side: Side, while_what: str) -> Round:
        found = measure(side, self.folder, connections=self.options.connections, seconds=self.options.seconds)
        print(f"{while_what}: {found.rate:,.0f}/s, p99 {found.p99:.1f} ms", file=sys.stderr, flush=True)
        return found


def tables_of(sizes: list[int] | None, over: int | None, bench: Bench) -> Iterator[str]:
    """What was asked for: growth, where there is a list of sizes, even an empty one, and clean-up."""
    if sizes is not None:
        yield from growth_tables(sizes or [*SIZES], bench)
    if over:
        yield cleanup_tables(over, bench)


def growth_tables(sizes: list[int], bench: Bench) -> Iterator[str]:
    """Servers with so many access tokens take turns; the first is what the others are compared with."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(bench, "fill", rows)) for rows in sizes]
        for what in (INTROSPECTION, SECRET):
            turns = take_turns([Side(each.name, each, what) for each in servers], bench.folder, bench.options)
            yield f"#### {TITLES[what]}, by rows of access tokens\n\n{tables.table(turns)}"


def cleanup_tables(rows: int, bench: Bench) -> str:
    """Tokens that are over go while others are issued, and django-oauth-toolkit cleans up as many."""
    took: dict[str, float] = {}
    with _server(bench, "expire", rows) as server, _sweeper(bench, rows) as sweeper:
        side = Side(server.name, server, SECRET)
        rounds = {QUIET: [bench.measure(side, QUIET) for _ in range(QUIET_ROUNDS)]}
        for noun, name in KINDS.items():
            took[name], rounds[name] = _sweep_meanwhile(sweeper, noun, side, bench)
    took["django-oauth-toolkit's cleartokens, access tokens"] = theirs = _toolkit_seconds(rows, bench)
    deleted = [
        f"| {name} | {seconds:,.3f} | {1e6 * seconds / rows:,.2f} | {theirs / seconds:,.1f} |"
        for name, seconds in took.items()
    ]
    meanwhile = [
        f"| {name}, {len(found)} rounds | {median(each.rate for each in found):,.0f} "
        f"| {tables.spread((each.p99 for each in found), '.1f')} |"
        for name, found in rounds.items()
    ]
    heads = (
        f"#### Clean-up of {rows:,} tokens\n\n| | seconds | µs a row | cleartokens' time to this |\n|---|---|---|---|",
        "\n| client_credentials meanwhile | a second, median | p99 ms, median (lowest to highest) |\n|---|---|---|",
    )
    return "\n".join([heads[0], *deleted, heads[1], *meanwhile])


@contextmanager
def _server(bench: Bench, verb: str, rows: int) -> Iterator[Contender]:
    """A server with a database of its own in which `bench.grow` has made so many rows."""
    name, before = f"{verb}_{rows}", os.environ["SMARTAUTH_DATABASE_URL"]
    with psycopg.connect(before, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    folder, pool = bench.folder / name, bench.options.pool
    folder.mkdir()
    os.environ["SMARTAUTH_DATABASE_URL"] = f"{before.rpartition('/')[0]}/{name}"
    try:
        with smartauth(
            folder, bench.key, tokens=pool, pool=pool, launches=1, codes=0, database=bench.database
        ) as server:
            print(f"{verb} {rows:,} rows", file=sys.stderr, flush=True)
            subprocess.run(_grow(verb, str(rows)), env=_environment(folder), cwd=ROOT, check=True)
            os.environ["SMARTAUTH_DATABASE_URL"] = before
            yield replace(server, name=f"{rows:,} rows")
    finally:
        os.environ["SMARTAUTH_DATABASE_URL"] = before


@contextmanager
def _sweeper(bench: Bench, rows: int) -> Iterator[subprocess.Popen[str]]:
    """A process that has started and waits to be told what to delete."""
    url = f"{os.environ['SMARTAUTH_DATABASE_URL'].rpartition('/')[0]}/expire_{rows}"
    environment = {**_environment(bench.folder / f"expire_{rows}"), "SMARTAUTH_DATABASE_URL": url}
    with subprocess.Popen(
        _grow("sweep"), env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        process.stdin.close()  # type: ignore[union-attr]


def _sweep_meanwhile(sweeper: subprocess.Popen[str], noun: str, side: Side, bench: Bench) -> tuple[float, list[Round]]:
    """The seconds that it took, and the rounds from before its beginning to after its end."""
    with ThreadPoolExecutor(1) as thread:
        took = thread.submit(_sweep, sweeper, noun, bench.options.seconds / 2)
        rounds = [bench.measure(side, KINDS[noun])]
        while not took.done():
            rounds.append(bench.measure(side, KINDS[noun]))
        return took.result(), rounds


def _sweep(sweeper: subprocess.Popen[str], noun: str, after: float) -> float:
    """It begins when the load has begun."""
    time.sleep(after)
    sweeper.stdin.write(f"{noun}\n")  # type: ignore[union-attr]
    return float(json.loads(sweeper.stdout.readline()))  # type: ignore[union-attr]


def _toolkit_seconds(rows: int, bench: Bench) -> float:
    needs = peers.Needs(bench.key, 1, 1, launches=0, codes=0, dead=0, revoking_seconds=0, whose="person")
    with peers.toolkit(bench.folder, needs):
        pass  # it has run: its tables, an application and a person with a token are there
    url = f"{os.environ['SMARTAUTH_DATABASE_URL'].rpartition('/')[0]}/toolkit"
    environment = {"DJANGO_SETTINGS_MODULE": "bench.toolkit.settings", "BENCH_TOOLKIT_DATABASE_URL": url}
    command = [sys.executable, "-m", "bench.toolkit.clear", str(rows)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


def _grow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bench.grow", *arguments]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, **smartauth_environment(folder, 9)}
