"""The report on a terminal: one line that moves while it runs, then what fits on a screen."""

import os
import sys
from collections import Counter
from typing import TextIO

from smartauth_probe.checks.check import Outcome
from smartauth_probe.report.printable import printable
from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult, Run
from smartauth_probe.skip import NOTHING_TO_DO

SHOWN = 8  # failures,
OF_A_SECTION = 2  # of them, since what fails in one part of a server fails there in many ways
WAYS = 4  # to make checks that were skipped
WIDTH = 100
MARKS = {Outcome.FAILED: "failed", Outcome.POLICY: "policy", Outcome.SKIPPED: "skipped", Outcome.PASSED: "passed"}


class Progress:
    """Counts on one line of a terminal; failures are printed at once, also where it is no terminal."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._moves = self._out.isatty() and os.environ.get("TERM") != "dumb"
        self._failed = 0

    def __call__(self, made: CheckResult, number: int, total: int) -> None:
        if made.result.is_failed:
            self._failed += 1
            self._line(f"failed  {made.check.id} {made.check.name}: {made.check.headline}")
        if self._moves:
            text = f"{number} of {total} checks, {self._failed or 'none'} failed: {made.check.name}"[: WIDTH - 1]
            print(f"\r{text:<{WIDTH}}", end="", file=self._out, flush=True)

    def _line(self, text: str) -> None:
        print(f"\r{text:<{WIDTH}}" if self._moves else text, file=self._out)

    def end(self) -> None:
        if self._moves:
            print("\r" + " " * WIDTH + "\r", end="", file=self._out, flush=True)


def summary(report: Report) -> str:
    """At most some thirty lines."""
    run = report.run
    head = [
        report.title,
        f"  {report.server}, {report.says_it_is}",
        f"  {report.requests} requests in {run.seconds:.0f} s; tokens from {report.tokens_from}",
        *([f"  stopped: {run.stopped}"] if run.stopped else []),
        "",
    ]
    return printable("\n".join([*head, *_table(report), *_failures(report), *_skipped(run)]))


def _table(report: Report) -> list[str]:
    rows = [("", *MARKS.values())]
    rows += [(section.title, *(str(counts[each] or "") for each in Outcome)) for section, counts in report.by_section]
    return [f"  {row[0]:<44}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows]


def _failures(report: Report) -> list[str]:
    found = report.failed
    first = _first(found)
    lines = [f"  {each.check.id} {each.check.name}: {_told(each)}" for each in first]
    more = [f"  and {len(found) - len(first)} more"] if len(found) > len(first) else []
    return ["", "What to fix first:", *lines, *more, "How to fix and repeat each: --html FILE"] if found else []


def _first(found: list[CheckResult]) -> list[CheckResult]:
    """The most dangerous ones, a few of each section."""
    taken = Counter[str]()
    first = []
    for each in found:
        taken[each.check.section] += 1
        if taken[each.check.section] <= OF_A_SECTION:
            first.append(each)
    return first[:SHOWN]


def _told(made: CheckResult) -> str:
    return f"{made.check.headline.rstrip('.')}. {made.result.seen}"


def _skipped(run: Run) -> list[str]:
    """What makes most of them; the other reports have all."""
    found = run.of(Outcome.SKIPPED)
    ways = Counter(each.result.to_run for each in found if each.result.to_run not in ("", NOTHING_TO_DO))
    more = [f"and {len(ways) - WAYS} ways more, in --html FILE"] if len(ways) > WAYS else []
    told = "; ".join([*(way for way, _ in ways.most_common(WAYS)), *more])
    return ["", f"To make more of the {len(found)} skipped checks: {told}"] if ways else []
