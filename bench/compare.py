"""This server on PostgreSQL beside node oidc-provider in memory: introspection of an active token, client_credentials
with a secret and with ES384 assertions, refresh, revocation. And its decisions beside its own introspection.

Both run on core 0 (PostgreSQL too), the load generator on core 1. The two take turns in short rounds, so that whatever
else the machine does falls on both; every answer is checked, one wrong one ends the run. Started by bench/run, which
brings PostgreSQL, the Python packages and the node packages, and removes what it made.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import stale
from bench.contenders import (
    INTROSPECTION,
    LAUNCHES,
    MOST_REVOKED,
    REFRESH,
    REVOCATION,
    ROOT,
    constant,
    key_pair,
    oidc_provider,
    smartauth,
)
from bench.cores import BOTH, give_cores
from bench.sides import TITLES, Side, sides

LOAD_CORE = "1"
WARM_UP = 0.5
NUMBERS = {
    "rounds": (11, "turns of each contender"),
    "seconds": (2.0, f"counted seconds a turn, after {WARM_UP:g} s"),
    "connections": (32, "keep-alive connections"),
    "tokens": (200_000, "live tokens in PostgreSQL"),
    "pool": (300, "tokens asked for, each in turn; a person's takes 3 of oidc-provider's 1000"),
}


@dataclass(frozen=True)
class Round:
    """What one contender did in one round. Times are milliseconds, CPU is microseconds a request."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    load_busy: float


def measure(side: Side, folder: Path, *, connections: int, seconds: float) -> Round:
    """One round. Raises SystemExit at a wrong answer."""
    name, contender, what = side
    plan = folder / "plan.json"
    plan.write_text(json.dumps(contender.load_plan(what, seconds + WARM_UP)), encoding="utf-8")
    load = [sys.executable, "-m", "bench.load", str(plan), str(connections), str(WARM_UP), str(seconds)]
    before = contender.cpu_seconds()
    done = subprocess.run(["taskset", "-c", LOAD_CORE, *load], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    after = contender.cpu_seconds()
    result = json.loads(done.stdout)
    if result["wrong"] or not result["requests"]:
        raise SystemExit(f"{name}: {result['wrong']} wrong answers, such as {result['first_wrong']}")
    rate = result["requests"] / result["seconds"]
    answered = rate * (result["seconds"] + WARM_UP)
    server, database = (1e6 * (late - early) / answered for early, late in zip(before, after, strict=True))
    return Round(rate, result["p50"], result["p99"], server, database, result["busy"])


def compare(ours: Side, theirs: Side, folder: Path, options: argparse.Namespace) -> None:
    """The rounds, each printed as it ends, then what they come to."""
    print(f"\n{TITLES[ours.what]}\n")
    for side in (ours, theirs):  # uncounted: V8 compiles what is hot, PostgreSQL reads its pages
        measure(side, folder, connections=options.connections, seconds=options.seconds + 1)
    pairs: list[tuple[Round, Round]] = []
    for number in range(1, options.rounds + 1):
        mine, peers = (
            measure(side, folder, connections=options.connections, seconds=options.seconds) for side in (ours, theirs)
        )
        pairs.append((mine, peers))
        print(
            f"round {number}: {ours.name} {mine.rate:,.0f}/s (p99 {mine.p99:.1f} ms), "
            f"{theirs.name} {peers.rate:,.0f}/s (p99 {peers.p99:.1f} ms), ratio {mine.rate / peers.rate:.2f}",
            flush=True,
        )
    print_result(ours, theirs, pairs)


def print_result(ours: Side, theirs: Side, pairs: list[tuple[Round, Round]]) -> None:
    """The table of what both did, and how they compare: by medians, as single rounds on a shared machine vary."""
    print("\n| | a second, median (lowest to highest) | p50 ms | p99 ms | CPU us a request: server + database |")
    print("|---|---|---|---|---|")
    print(_row(ours, [mine for mine, _ in pairs]))
    print(_row(theirs, [peers for _, peers in pairs]))
    ratios = [mine.rate / peers.rate for mine, peers in pairs]
    print(f"\nratio: median {median(ratios):.2f} of {len(pairs)} rounds ({min(ratios):.2f} to {max(ratios):.2f})")
    costs = [_cpu(peers) / _cpu(mine) for mine, peers in pairs]
    print(f"CPU time a request, theirs to ours: median {median(costs):.2f} ({min(costs):.2f} to {max(costs):.2f})")
    busy = max(each.load_busy for pair in pairs for each in pair)
    print(f"the load generator's core was busy with it at most {busy:.0%} of a round")


def _cpu(found: Round) -> float:
    return found.server_cpu + found.database_cpu


def _row(side: Side, rounds: list[Round]) -> str:
    rates = [each.rate for each in rounds]
    p50, p99 = median(each.p50 for each in rounds), median(each.p99 for each in rounds)
    server, database = median(each.server_cpu for each in rounds), median(each.database_cpu for each in rounds)
    return (
        f"| {side.name} | {median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) "
        f"| {p50:.1f} | {p99:.1f} | {server:.0f} + {database:.0f} |"
    )


def _versions() -> str:
    node = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    peer = json.loads((ROOT / "bench" / "package.json").read_text(encoding="utf-8"))["dependencies"]["oidc-provider"]
    python = f"{platform.python_version()} ({os.path.realpath(sys.executable)})"
    return f"Python {python}, node {node}, oidc-provider {peer}"


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
        "--stale",
        type=int,
        nargs="?",
        const=stale.CYCLES,
        metavar="CYCLES",
        help=f"whether a revoked token is ever called active by one of several processes ({stale.CYCLES:,} cycles)",
    )
    parser.add_argument("--statements", action="store_true", help="count and explain the statements, time nothing")
    parser.add_argument("--smoke", action="store_true", help="whether it runs at all: one short round, few tokens")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds, options.tokens, options.pool = 1, 0.5, 1000, 100
    return options


def main() -> None:
    options = parse_options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smartauth-bench-")))
        print(f"seeding {options.tokens:,} tokens into PostgreSQL", flush=True)
        database = int(os.environ["BENCH_POSTGRESQL_PID"])
        key = key_pair(folder)
        asked, turns = options.what or list(TITLES), options.rounds + 1
        launches = LAUNCHES * turns if REFRESH in asked else 0
        revocable = int(MOST_REVOKED * (turns * (options.seconds + WARM_UP) + 1)) if REVOCATION in asked else 0
        tokens = max(options.tokens, options.pool + revocable)
        if options.stale:
            give_cores(BOTH, database)
        ours = stack.enter_context(
            smartauth(
                folder,
                key,
                tokens=tokens,
                pool=options.pool,
                launches=launches,
                database=database,
                processes=stale.PROCESSES if options.stale else 1,
            )
        )
        if options.stale:
            stale.print_staleness(ours, options.stale)
            return
        if options.statements:
            from bench.statements import print_statement_counts

            print_statement_counts(ours, folder)
            return
        theirs = stack.enter_context(
            oidc_provider(folder, key, pool=options.pool, launches=launches, revocable=revocable, whose=options.whose)
        )
        print(_versions())
        print_ceiling(folder, options)
        for what in asked:
            compare(*sides(what, ours, theirs), folder, options)


if __name__ == "__main__":
    main()
