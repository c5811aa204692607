"""The report in numbers and names of checks: what a development smartauth is told (`POST /dev/probe/results`)."""

from collections.abc import Mapping
from typing import TypedDict

from smartauth_probe.catalogue import kinds
from smartauth_probe.checks.check import Outcome
from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult

TOLD = (Outcome.PASSED, Outcome.FAILED)


class ResultInNumbers(TypedDict):
    """No token, and nothing of a patient. `failed` names checks that nobody accepted; `answers` has the status that
    each kind of token got that passed or failed."""

    server: str
    seconds: int
    chosen: int
    counts: Mapping[str, int]
    failed: list[str]
    answers: Mapping[str, int]
    stopped: bool


def in_numbers(report: Report, base: str) -> ResultInNumbers:
    """Of the FHIR server that is registered with that base; accepted failures count as a matter of policy."""
    counts = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    for _, of_section in report.by_section:
        for outcome, number in of_section.items():
            counts[outcome.value] += number
    return ResultInNumbers(
        server=base,
        seconds=round(report.run.seconds),
        chosen=report.run.chosen,
        counts=counts,
        failed=[each.check.name for each in report.failed],
        answers={name: status for each in report.run.results for name, status in _answer(report, each)},
        stopped=bool(report.run.stopped),
    )


def _answer(report: Report, made: CheckResult) -> list[tuple[str, int]]:
    """The last status that a token of the catalogue got, none where that says nothing."""
    name = made.check.name
    if name not in kinds() or name in report.accepted or made.result.outcome not in TOLD:
        return []
    statuses = [each.answer.status for each in made.exchanges if each.token == name and each.answer is not None]
    return [(name, statuses[-1])] if statuses else []
