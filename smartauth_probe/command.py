"""The command `smartauth-probe`: what somebody says on the command line, and what becomes of it."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from smartauth_probe import __version__
from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Check
from smartauth_probe.command_addresses import refuse_unless_http
from smartauth_probe.command_tokens import add_token_options, token_source
from smartauth_probe.entries import Unreadable
from smartauth_probe.hand_in import hand_in
from smartauth_probe.loading.running import loaded, terminated_like_ctrl_c
from smartauth_probe.report.accepted import Accepted, read_accepted
from smartauth_probe.report.comparison import read_outcomes
from smartauth_probe.report.evidence import Evidence
from smartauth_probe.report.files import CannotWrite, printed, write_files
from smartauth_probe.report.printable import printable
from smartauth_probe.report.repeating import repeating
from smartauth_probe.report.report import COULD_NOT_RUN, Report
from smartauth_probe.report.terminal import Progress
from smartauth_probe.runner import Run, chosen, planned, run
from smartauth_probe.target.client import Client, Exchange, Limits
from smartauth_probe.target.discovery import CouldNotRun, begin, find_records
from smartauth_probe.target.named_records import NamedRecords, read_named_records
from smartauth_probe.target.probe import Probe

DEFAULTS = Limits()
DESCRIPTION = """\
Sends a FHIR server what an attacker would, and says check by check what it does. Reads only, unless --writes.
Exit status: 0 nothing failed, 1 findings, 2 could not run.
"""


def parser(prog: str = "smartauth-probe") -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=prog, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("url", metavar="URL", help="the FHIR base, such as http://127.0.0.1:9000/fhir")
    made.add_argument("--version", action="version", version=f"smartauth-probe {__version__}")
    add_token_options(made)
    made.add_argument("--patients", metavar="A,B", default="", help="two ids; default: found by the probe")
    made.add_argument("--fixture", metavar="FILE", help="the two patients and records of theirs, named by you")
    made.add_argument("--only", action="append", default=[], metavar="WHAT", help="id, name or section, such as aud-*")
    made.add_argument("--skip", action="append", default=[], metavar="WHAT", help="the same, not made")
    made.add_argument("--list", action="store_true", help="list the checks, send nothing")
    made.add_argument("--dry-run", action="store_true", help="list what would be sent, send nothing")
    made.add_argument("--writes", action="store_true", help="create, change and delete too; never with real data")
    made.add_argument("--load", action="store_true", help="with --writes: on two new patients, deleted at the end")
    made.add_argument("--i-may-test-this-server", action="store_true", help="needed for a server elsewhere")
    _add_bounds(made)
    _add_reports(made)
    return made


def _add_bounds(made: argparse.ArgumentParser) -> None:
    made.add_argument("--per-second", type=float, metavar="N", help="requests; default: 20 elsewhere, unbounded here")
    made.add_argument("--most-requests", type=int, default=DEFAULTS.requests, metavar="N")
    made.add_argument("--seconds", type=float, default=DEFAULTS.seconds, metavar="N", help="for one answer")
    made.add_argument("--most-seconds", type=float, default=DEFAULTS.whole, metavar="N", help="for the whole run")


def _add_reports(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", metavar="FILE", help="write the report as JSON; - for the output")
    made.add_argument("--html", metavar="FILE", help="as one page for people")
    made.add_argument("--junit", metavar="FILE", help="as JUnit XML")
    made.add_argument("--sarif", metavar="FILE", help="as SARIF")
    made.add_argument("--accept", metavar="FILE", help="findings that are accepted, with a reason and a date")
    made.add_argument("--compare", metavar="FILE", help="an older report of --json: what changed since")
    made.add_argument("--evidence", choices=["ids", "full"], default="ids", help="full: answers as they came")
    made.add_argument("--quiet", action="store_true", help="no progress")


def main(arguments: Sequence[str] | None = None, prog: str = "smartauth-probe") -> int:
    """The exit status. What cannot be run is said in a sentence."""
    options = parser(prog).parse_args(arguments)
    checks = chosen(all_checks(), options.only, options.skip)
    if options.list:
        return _list(checks)
    try:
        return _probe(options, checks, prog)
    except CouldNotRun as reason:
        print(printable(f"The probe could not run: {reason}"), file=sys.stderr)
    except CannotWrite as reason:
        print(reason, file=sys.stderr)
    except BrokenPipeError:  # nobody reads on, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("Stopped before the first check.", file=sys.stderr)
    return COULD_NOT_RUN


def _list(checks: list[Check]) -> int:
    for check in checks:
        print(f"{check.id:<8}{check.name:<40}{check.title}")
    return 0


def _probe(options: argparse.Namespace, checks: list[Check], prog: str) -> int:
    client = _client(options)
    if not checks:
        raise CouldNotRun("No check is named so; --list names all.")
    if options.load and (options.fixture or not options.writes):
        raise CouldNotRun("--load makes patients and records: it takes --writes too, and no --fixture")
    accepted, old, named = _files(options)
    patients = list(named or filter(None, options.patients.split(",")))
    source = token_source(options, client.base, patients)
    probe = begin(client, source, writes=options.writes)
    try:
        with terminated_like_ctrl_c(), _with_records(options, probe, patients, named):
            if options.dry_run:
                return _plan(probe, checks)
            made = _run(probe, checks, is_quiet=options.quiet)
    finally:
        for path in probe.remains:
            print(printable(f"{path} was made by the probe and could not be deleted."), file=sys.stderr)
    evidence = Evidence(probe.private, options.evidence == "full")
    report = Report.about(probe, made, evidence, accepted, repeating(prog, client.base, source, options))
    print(printed(report, options.json == "-", options.compare, old))
    if untold := hand_in(report, source):
        print(untold, file=sys.stderr)
    write_files(report, json=options.json, html=options.html, junit=options.junit, sarif=options.sarif)
    return report.exit_status


def _run(probe: Probe, checks: list[Check], *, is_quiet: bool) -> Run:
    progress = Progress()
    try:
        return run(probe, checks, (lambda *_: None) if is_quiet else progress)
    finally:
        progress.end()


@contextmanager
def _with_records(
    options: argparse.Namespace, probe: Probe, patients: list[str], named: NamedRecords | None
) -> Iterator[Probe]:
    """Loaded ones where that was asked for, else those that are there. Raises CouldNotRun."""
    if not options.load:
        yield find_records(probe, patients, named)
        return
    with loaded(probe, patients):
        yield probe


def _files(
    options: argparse.Namespace,
) -> tuple[Mapping[str, Accepted], Mapping[str, str] | None, NamedRecords | None]:
    """What is accepted, the older report, and the records. Raises CouldNotRun before anything is sent."""
    try:
        accepted = read_accepted(Path(options.accept), datetime.now(UTC).date()) if options.accept else {}
        old = read_outcomes(Path(options.compare)) if options.compare else None
        named = read_named_records(Path(options.fixture)) if options.fixture else None
    except Unreadable as problem:
        raise CouldNotRun(str(problem)) from None
    if unknown := accepted.keys() - {check.name for check in all_checks()}:
        raise CouldNotRun(f"{options.accept}: no check is named {sorted(unknown)[0]}; --list names all")
    return accepted, old, named


def _client(options: argparse.Namespace) -> Client:
    """Raises CouldNotRun for what is no address, and for a server elsewhere that nobody says they may test."""
    base = options.url.rstrip("/")
    refuse_unless_http("FHIR base", base)
    if "?" in base or "#" in base:
        raise CouldNotRun("The FHIR base has a query or a fragment: leave it out.")
    client = Client(base, is_dry=options.dry_run)
    if not client.is_loopback and not options.i_may_test_this_server:
        raise CouldNotRun(f"{client.host} is not this machine: say --i-may-test-this-server if you may.")
    rate = options.per_second if options.per_second is not None else 0 if client.is_loopback else 20
    client.limits = Limits(options.most_requests, rate, options.seconds, options.most_seconds)
    return client


def _plan(probe: Probe, checks: list[Check]) -> int:
    _say("before the checks", probe.client.exchanges)
    for check, _, exchanges in planned(probe, checks):
        _say(f"{check.id} {check.name}", exchanges)
    return 0


def _say(title: str, exchanges: Iterable[Exchange]) -> None:
    print(title)
    for each in exchanges:
        query = f"?{each.request.query}" if each.request.query else ""
        print(f"    {each.request.method} {each.request.path}{query}  [{each.token or 'no token'}]")
