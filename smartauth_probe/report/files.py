"""The report in the forms that were asked for, printed and in files."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from smartauth_probe.report.comparison import changes
from smartauth_probe.report.html import as_html
from smartauth_probe.report.json_report import as_json
from smartauth_probe.report.junit import as_junit
from smartauth_probe.report.printable import printable
from smartauth_probe.report.report import Report
from smartauth_probe.report.sarif import as_sarif
from smartauth_probe.report.terminal import summary

FORMS: Mapping[str, Callable[[Report], str]] = {
    "json": lambda report: _json(as_json(report)),
    "html": as_html,
    "junit": as_junit,
    "sarif": lambda report: _json(as_sarif(report)),
}
PRINTED = "-"  # in place of a file


class CannotWrite(Exception):
    """Which file, and why."""


def printed(report: Report, is_json: bool, compared: str | None, old: Mapping[str, str] | None) -> str:
    """The summary, and what changed since an older report; or JSON and nothing else."""
    if is_json:
        return FORMS["json"](report)
    if old is None:
        return summary(report)
    since = changes(report, old) or ["nothing"]
    return "\n".join([summary(report), "", f"Since {compared}:", *(f"  {line}" for line in since)])


def write_files(report: Report, **files: str | None) -> None:
    """Each form into its file. Raises CannotWrite, after those that can be written."""
    problems = []
    for form, name in files.items():
        if name and name != PRINTED:
            try:
                Path(name).write_text(f"{FORMS[form](report).rstrip()}\n", encoding="utf-8")
            except OSError as problem:
                problems.append(f"{name} cannot be written: {problem.strerror}")
    if problems:
        raise CannotWrite("; ".join(problems))


def _json(found: Mapping[str, Any]) -> str:
    return printable(json.dumps(found, indent=1, ensure_ascii=False))
