"""The report for tools, and for a later --compare."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult

FORMAT = 1


def as_json(report: Report) -> dict[str, Any]:
    """Everything, without a token, and of patients nothing but ids."""
    run = report.run
    return {
        "format": FORMAT,
        "title": report.title,
        "exit_status": report.exit_status,
        "server": report.server,
        "says_it_is": report.says_it_is,
        "tokens_from": report.tokens_from,
        "patients": list(report.patients),
        "began": run.began.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
        "requests": report.requests,
        "writes": report.writes,
        "stopped": run.stopped,
        "remains": list(report.remains),
        "probe": report.version,
        "counts": Counter(each.result.outcome.value for each in run.results),
        "checks": [_check(report, each) for each in run.results],
    }


def _check(report: Report, made: CheckResult) -> dict[str, Any]:
    check, result = made.check, made.result
    accepted = report.accepted.get(check.name) if result.is_failed else None
    return {
        "id": check.id,
        "name": check.name,
        "section": check.section,
        "title": check.title,
        "outcome": result.outcome.value,
        "seen": result.seen,
        **({"to_run": result.to_run} if result.to_run else {}),
        **({"accepted": {"reason": accepted.reason, "until": accepted.until}} if accepted else {}),
        **(_failure(report, made) if result.is_failed else {}),
    }


def _failure(report: Report, made: CheckResult) -> dict[str, Any]:
    check, path = made.check, urlsplit(report.server).path
    return {
        "headline": check.headline,
        "danger": made.danger.name.lower(),
        "expected": made.result.expected,
        "received": made.result.received,
        "failures": made.failures,
        "tries": made.tries,
        "why": check.why,
        "fix": check.fix,
        "source": check.source,
        "exchanges": [
            {
                "token": each.token,
                "request": report.evidence.request(each, path),
                "answer": report.evidence.answer(each),
            }
            for each in made.exchanges
        ],
    }
