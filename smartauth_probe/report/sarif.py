"""The report as SARIF 2.1.0, which code scanning reads: a rule for each check, a result for each finding."""

from typing import Any
from urllib.parse import urlsplit

from smartauth_probe.checks.check import Check, Outcome
from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Outcome.FAILED: "error", Outcome.POLICY: "note"}
# of GitHub, from 0 to 10, by danger
SEVERITY = {1: "9.0", 2: "9.0", 3: "7.0", 4: "5.0", 5: "3.0"}


def as_sarif(report: Report) -> dict[str, Any]:
    told = [each for each in report.run.results if each.result.outcome in LEVELS]
    driver = {
        "name": "smartauth-probe",
        "version": report.version,
        "rules": [_rule(each.check) for each in report.run.results],
    }
    run = {
        "tool": {"driver": driver},
        "results": [_result(report, each) for each in told],
        "invocations": [{"executionSuccessful": not report.run.stopped, **_left_behind(report)}],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _left_behind(report: Report) -> dict[str, Any]:
    """What the probe made and could not delete, where SARIF tells of the run itself (SARIF 2.1.0 §3.20.21)."""
    told = [f"{path} was made by the probe and could not be deleted." for path in report.remains]
    notes = [{"level": "warning", "message": {"text": text}} for text in told]
    return {"toolExecutionNotifications": notes} if notes else {}


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.name,
        "name": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why},
        "help": {"text": f"{check.fix} Source: {check.source}"},
        "properties": {"tags": ["security", check.section], "security-severity": SEVERITY[check.danger]},
    }


def _result(report: Report, made: CheckResult) -> dict[str, Any]:
    check, result = made.check, made.result
    accepted = report.accepted.get(check.name) if result.is_failed else None
    text = f"{check.headline}. {result.seen}" if result.is_failed else result.seen
    return {
        "ruleId": check.name,
        "level": LEVELS[result.outcome],
        "message": {"text": text},
        "locations": [_location(report.server)],
        "partialFingerprints": {"primaryLocationLineHash": f"{check.name}:1"},
        **({"suppressions": [{"kind": "external", "justification": accepted.reason}]} if accepted else {}),
    }


def _location(server: str) -> dict[str, Any]:
    """The base as a logical location, and as a file of that name.

    GitHub shows a result at a line of a file, and takes no file at all in which one is at another scheme than `file:`.
    A colon in the first part of a path would be read as one (RFC 3986 §4.2).
    """
    parts = urlsplit(server)
    host = (parts.hostname or "").replace(":", "_")  # of IPv6
    file = "/".join(filter(None, [host, str(parts.port or ""), parts.path.strip("/")]))
    return {
        "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 1}},
        "logicalLocations": [{"fullyQualifiedName": server, "kind": "resource"}],
    }
