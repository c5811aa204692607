"""This server on PostgreSQL beside node oidc-provider in memory: introspection of an active token, of an ended and of a
changed one, by an assertion and by a token; client_credentials with a secret and with ES384 assertions, code exchange,
refresh, revocation. And its decisions beside its own introspection.

All run on core 0 (PostgreSQL too), the load generator on core 1. They take turns in short rounds, so that whatever
else the machine does falls on all of them; every answer is checked, one wrong one ends the run. Started by bench/run,
which brings PostgreSQL, the Python packages and the node packages, and removes what it made.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import exchange, fhir_http, growth, introspections, launches, peers, processes, report, stale, start, tables
from bench.contenders import (
    INTROSPECTION,
    LAUNCHES,
    MOST_REVOKED,
    REFRESH,
    REVOCATION,
    Contender,
    constant,
    key_pair,
    memory_mib,
    smartauth,
    stop_at_sigterm,
)
from bench.cores import BOTH, give_cores
from bench.options import parse_options
from bench.rounds import WARM_UP, measure, take_turns
from bench.sides import TITLES, Side, sides


def ceiling(folder: Path, options: argparse.Namespace) -> str:
    """What the load generator can ask for at most, so that it is seen not to be the limit."""
    with constant(folder) as contender:
        side, seconds = Side(contender.name, contender, INTROSPECTION), min(options.seconds, 2)
        found = measure(side, folder, connections=options.connections, seconds=seconds)
    return f"The load generator against a fixed answer: {found.rate:,.0f} a second."


def rows(needs: peers.Needs, ours: Contender, folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """A section for each row, and what lies in memory afterwards."""
    with ExitStack() as stack:
        theirs = {peer: stack.enter_context(peers.started(peer, folder, needs)) for peer in options.beside}
        yield ceiling(folder, options)
        for what in options.what:
            found = take_turns(sides(what, ours, theirs), folder, options)
            yield f"#### {TITLES[what]}\n\n{tables.table(found)}\n\n{tables.load_busy(found)}"
        memory = [f"| {each.name} | {memory_mib(each.process.pid):.0f} |" for each in (ours, *theirs.values())]
        yield "\n".join(["| | MiB after all of it |\n|---|---|", *memory])


def sections(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """What was asked for, each part as it is done."""
    database = int(os.environ["BENCH_POSTGRESQL_PID"])
    if options.what or options.processes or options.fhir or options.stale or options.statements:
        yield from _on_seeded_tokens(folder, database, options)
    if options.start:
        yield start.start_table(folder)
    if options.launches:
        yield launches.launch_table(folder, database)
    if options.growth is not None or options.cleanup:
        bench = growth.Bench(folder, key_pair(folder), database, options)
        yield from growth.tables_of(options.growth, options.cleanup, bench)


def _on_seeded_tokens(folder: Path, database: int, options: argparse.Namespace) -> Iterator[str]:
    key = key_pair(folder)
    turns = options.rounds + 1
    refreshing = turns * ((REFRESH in options.what) + options.processes * len(processes.SET_UPS))
    revoking_seconds = turns * (options.seconds + WARM_UP) + 1 if REVOCATION in options.what else 0
    codes = exchange.needed(turns, options.seconds + WARM_UP) if exchange.EXCHANGE in options.what else 0
    dead = introspections.DEAD if {*introspections.ABOUT_DEAD} & {*options.what} else 0
    needs = peers.Needs(
        key, options.tokens, options.pool, refreshing * LAUNCHES, codes, dead, revoking_seconds, options.whose
    )
    print(f"seeding {options.tokens:,} tokens into PostgreSQL", flush=True)
    if options.stale:
        give_cores(BOTH, database)
    with smartauth(
        folder,
        key,
        tokens=max(options.tokens, options.pool + int(MOST_REVOKED * revoking_seconds)),
        pool=options.pool,
        launches=needs.launches,
        codes=codes,
        database=database,
        processes=stale.PROCESSES if options.stale else 1,
    ) as ours:
        if options.stale:
            stale.print_staleness(ours, options.stale)
        elif options.statements:
            from bench.statements import print_statement_counts

            print_statement_counts(ours, folder)
        else:
            if options.what:
                yield from rows(needs, ours, folder, options)
            if options.fhir:
                yield from fhir_http.fhir_tables(ours, folder, options)
            if options.processes:
                yield from processes.process_tables(ours, folder, options)


def main() -> None:
    options = parse_options(__doc__ or "")
    stop_at_sigterm()
    with tempfile.TemporaryDirectory(prefix="smartauth-bench-") as folder:
        before, load, made = report.others(), os.getloadavg()[0], []
        for section in sections(Path(folder), options):
            print(f"\n{section}", flush=True)
            made.append(section)
        head = report.head(before, report.others(), load)
        print(f"\n{head}")
        if options.report:
            Path(options.report).write_text("\n\n".join([head, *made, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
