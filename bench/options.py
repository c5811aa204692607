"""What `bench/run` can be asked for."""

import argparse

from bench import growth, peers, stale
from bench.contenders import REFRESH, REVOCATION
from bench.exchange import EXCHANGE
from bench.rounds import WARM_UP
from bench.sides import TITLES

NUMBERS = {
    "rounds": (11, "turns of each contender"),
    "seconds": (2.0, f"counted seconds a turn, after {WARM_UP:g} s"),
    "connections": (32, "keep-alive connections"),
    "tokens": (200_000, "live tokens that each server holds"),
    "pool": (300, "tokens asked for, each in turn; a person's takes 3 of oidc-provider's 1000"),
}


def parse_options(text: str) -> argparse.Namespace:
    """The options, those that follow from others filled in."""
    options = _parser(text).parse_args()
    if options.smoke:
        options.rounds, options.seconds, options.tokens, options.pool = 1, 0.5, 1000, 100
    options.beside = options.beside or ["all" if options.report else peers.MEMORY]
    if "all" in options.beside:
        options.beside = [*peers.NAMES]
    alone = options.processes or options.fhir or options.launches or options.start
    if options.report:
        options.processes = options.fhir = options.launches = options.start = True
    if options.statements:
        options.what = [EXCHANGE, REFRESH, REVOCATION]  # what is made for them beforehand
    alone = alone or options.stale or options.growth is not None or options.cleanup
    options.what = options.what or ([*TITLES] if options.report or not alone else [])
    return options


def _parser(text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench/run", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, (default, meaning) in NUMBERS.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{meaning} (%(default)s)")
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
        "--processes", action="store_true", help="1, 2 and 4 processes of this server on both cores, and PgBouncer"
    )
    parser.add_argument(
        "--fhir", action="store_true", help="reads and search pages of the bundled FHIR server, beside HAPI's"
    )
    parser.add_argument("--launches", action="store_true", help="what a launch costs, with a sign-in and in a session")
    parser.add_argument("--start", action="store_true", help="how soon `smartauth dev` answers")
    parser.add_argument("--report", metavar="FILE", help="all rows beside all, and these four, as Markdown")
    parser.add_argument(
        "--stale",
        type=int,
        nargs="?",
        const=stale.CYCLES,
        metavar="CYCLES",
        help=f"whether a revoked token is ever called active by one of several processes ({stale.CYCLES:,} cycles)",
    )
    parser.add_argument(
        "--growth",
        type=int,
        nargs="*",
        metavar="ROWS",
        help=f"with so many rows of access tokens ({' '.join(map(str, growth.SIZES))})",
    )
    parser.add_argument(
        "--cleanup",
        type=int,
        nargs="?",
        const=growth.OVER,
        metavar="ROWS",
        help=f"delete so many tokens that are over, while others are issued ({growth.OVER})",
    )
    parser.add_argument("--statements", action="store_true", help="count and explain the statements, time nothing")
    parser.add_argument("--smoke", action="store_true", help="whether it runs at all: one short round, few tokens")
    return parser
