"""What changed since an older report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartauth_probe.entries import Unreadable
from smartauth_probe.report.report import Report


def read_outcomes(file: Path) -> Mapping[str, str]:
    """The outcome of each check in a report that was written with --json. Raises Unreadable."""
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        return {str(each["name"]): str(each["outcome"]) for each in found["checks"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise Unreadable(f"{file} is no report of the probe: {type(problem).__name__}") from None


def changes(report: Report, old: Mapping[str, str]) -> list[str]:
    """A line for each check with another outcome than then, what fails now first; then what is new or gone."""
    now = {each.check.name: each.result.outcome.value for each in report.run.results}
    changed = [(name, old[name], outcome) for name, outcome in now.items() if old.get(name, outcome) != outcome]
    lines = [f"{name}: {before}, now {outcome}" for name, before, outcome in sorted(changed, key=_failures_first)]
    new, gone = len(now.keys() - old.keys()), len(old.keys() - now.keys())
    lines += [f"{new} checks were not made then"] if new else []
    return lines + ([f"{gone} checks were not made now"] if gone else [])


def _failures_first(change: tuple[str, str, str]) -> tuple[bool, str]:
    return change[2] != "failed", change[0]
