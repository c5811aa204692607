"""This server on PostgreSQL beside node oidc-provider in memory: introspection of an active token, of an ended and of a
changed one, by an assertion and by a token; client_credentials with a secret and with ES384 assertions, code exchange,
refresh, revocation. And its decisions beside its own introspection.

All run on core 0 (PostgreSQL too), the load generator on core 1. They take turns in short rounds, so that whatever
else the machine does falls on all of them; every answer is checked, one wrong one ends the run. Started by bench/run,
which brings PostgreSQL, the Python packages and the node packages, and removes what it made.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from bench import exchange, introspections, launches, peers, processes, stale, tables
from bench.contenders import (
    INTROSPECTION,
    LAUNCHES,
    MOST_REVOKED,
    REFRESH,
    REVOCATION,
    ROOT,
    constant,
    key_pair,
    smartauth,
)
from bench.cores import BOTH, give_cores
from bench.rounds import WARM_UP, measure, take_turns
from bench.sides import TITLES, Side, sides

NUMBERS = {
    "rounds": (11, "turns of each contender"),
    "seconds": (2.0, f"counted seconds a turn, after {WARM_UP:g} s"),
    "connections": (32, "keep-alive connections"),
    "tokens": (200_000, "live tokens in PostgreSQL"),
    "pool": (300, "tokens asked for, each in turn; a person's takes 3 of oidc-provider's 1000"),
}


def _versions() -> str:
    node = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    packages = json.loads((ROOT / "bench" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    python = f"Python {platform.python_version()} ({os.path.realpath(sys.executable)})"
    toolkit = f"django-oauth-toolkit {version('django-oauth-toolkit')}"
    return f"{python}, node {node}, oidc-provider {packages['oidc-provider']}, {toolkit}"


def print_ceiling(folder: Path, options: argparse.Namespace) -> None:
    """What the load generator can ask for at most, so that it is seen not to be the limit."""
    with constant(folder) as contender:
        side, seconds = Side(contender.name, contender, INTROSPECTION), min(options.seconds, 2)
        found = measure(side, folder, connections=options.connections, seconds=seconds)
    print(f"the load generator against a fixed answer: {found.rate:,.0f}/s\n", flush=True)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, (default, text) in NUMBERS.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{text} (%(default)s)")
    parser.add_argument(
        "--whose",
        choices=("person", "client"),
        default="person",
        help="oidc-provider's tokens: under a person's grant like ours, or its cheapest, a client's own (person)",
    )
    parser.add_argument(
        "--what", choices=[*TITLES], action="append", help="measure only that; may be given again (all)"
    )
    parser.add_argument(
        "--beside",
        choices=[*peers.NAMES, "all"],
        action="append",
        help="oidc-provider in memory or with Redis, django-oauth-toolkit; may be given again (memory)",
    )
    parser.add_argument(
        "--stale",
        type=int,
        nargs="?",
        const=stale.CYCLES,
        metavar="CYCLES",
        help=f"whether a revoked token is ever called active by one of several processes ({stale.CYCLES:,} cycles)",
    )
    parser.add_argument("--processes", action="store_true", help="1, 2 and 4 processes of this server on both cores")
    parser.add_argument("--launches", action="store_true", help="what a launch costs, with a sign-in and in a session")
    parser.add_argument("--statements", action="store_true", help="count and explain the statements, time nothing")
    parser.add_argument("--smoke", action="store_true", help="whether it runs at all: one short round, few tokens")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds, options.tokens, options.pool = 1, 0.5, 1000, 100
    options.beside = options.beside or [peers.MEMORY]
    if "all" in options.beside:
        options.beside = [*peers.NAMES]
    return options


def main() -> None:
    options = parse_options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smartauth-bench-")))
        if options.launches:
            launches.print_launches(folder, int(os.environ["BENCH_POSTGRESQL_PID"]))
            return
        print(f"seeding {options.tokens:,} tokens into PostgreSQL", flush=True)
        database = int(os.environ["BENCH_POSTGRESQL_PID"])
        key = key_pair(folder)
        asked, turns = options.what or list(TITLES), options.rounds + 1
        refreshable = LAUNCHES * turns * (len(processes.COUNTS) if options.processes else 1) if REFRESH in asked else 0
        revoking_seconds = turns * (options.seconds + WARM_UP) + 1 if REVOCATION in asked else 0
        alone = options.stale or options.processes or options.statements
        codes = 0 if alone or exchange.EXCHANGE not in asked else exchange.needed(turns, options.seconds + WARM_UP)
        dead = introspections.DEAD if {*introspections.ABOUT_DEAD} & {*asked} else 0
        tokens = max(options.tokens, options.pool + int(MOST_REVOKED * revoking_seconds))
        if options.stale or options.processes:
            give_cores(BOTH, database)
        ours = stack.enter_context(
            smartauth(
                folder,
                key,
                tokens=tokens,
                pool=options.pool,
                launches=refreshable,
                codes=codes,
                database=database,
                processes=stale.PROCESSES if options.stale else 1,
            )
        )
        if options.stale:
            stale.print_staleness(ours, options.stale)
            return
        if options.processes:
            processes.print_processes(ours, folder, options)
            return
        if options.statements:
            from bench.statements import print_statement_counts

            print_statement_counts(ours, folder)
            return
        needs = peers.Needs(
            key, options.tokens, options.pool, refreshable, codes, dead, revoking_seconds, options.whose
        )
        theirs = {peer: stack.enter_context(peers.started(peer, folder, needs)) for peer in options.beside}
        print(_versions())
        print_ceiling(folder, options)
        for what in asked:
            print(f"\n{TITLES[what]}\n", flush=True)
            found = take_turns(sides(what, ours, theirs), folder, options)
            print(f"{tables.table(found)}\n\n{tables.load_busy(found)}", flush=True)


if __name__ == "__main__":
    main()
