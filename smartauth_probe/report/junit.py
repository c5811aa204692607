"""The report as JUnit XML, which every CI reads: a suite for each section, a case for each check."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from smartauth_probe.checks.check import Outcome
from smartauth_probe.report.printable import printable
from smartauth_probe.report.report import Report
from smartauth_probe.runner import CheckResult

LEFT_BEHIND = "Records that the probe made and could not delete"


def as_junit(report: Report) -> str:
    suites = Element("testsuites", name=f"smartauth probe of {report.server}")
    for section, counts in report.by_section:
        made = [each for each in report.run.results if each.check.section == section.key]
        failures = sum(each in report.failed for each in made)
        suite = SubElement(
            suites,
            "testsuite",
            name=section.title,
            tests=str(len(made)),
            failures=str(failures),
            skipped=str(counts[Outcome.SKIPPED]),
            errors="0",
            timestamp=f"{report.run.began:%Y-%m-%dT%H:%M:%S}",
        )
        for each in made:
            _case(suite, report, each)
    if report.remains:
        _left_behind(suites, report.remains)
    if report.run.stopped:
        SubElement(suites, "properties").append(Element("property", name="stopped", value=report.run.stopped))
    indent(suites)
    return printable('<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suites, encoding="unicode") + "\n")


def _left_behind(suites: Element, paths: Sequence[str]) -> None:
    """An error for each record that the probe made and could not delete: somebody has to."""
    count = str(len(paths))
    suite = SubElement(suites, "testsuite", name=LEFT_BEHIND, tests=count, failures="0", skipped="0", errors=count)
    for path in paths:
        case = SubElement(suite, "testcase", classname="smartauth_probe.remains", name=path)
        SubElement(case, "error", type="remains", message=f"{path} was made by the probe and could not be deleted")


def _case(suite: Element, report: Report, made: CheckResult) -> None:
    check, result = made.check, made.result
    case = SubElement(suite, "testcase", classname=f"smartauth_probe.{check.section}", name=f"{check.id} {check.name}")
    if made in report.failed:
        failure = SubElement(case, "failure", type=made.danger.name.lower(), message=check.headline)
        failure.text = "\n".join(
            [
                result.seen,
                f"Expected: {result.expected}",
                f"Received: {result.received}",
                f"Why: {check.why}",
                f"Fix: {check.fix}",
            ]
        )
    elif result.outcome is Outcome.SKIPPED:
        SubElement(case, "skipped", message=result.seen)
    elif result.outcome is not Outcome.PASSED:
        SubElement(case, "system-out").text = f"{result.outcome.value}: {result.seen}"
