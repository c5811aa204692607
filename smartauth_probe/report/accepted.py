"""Findings that somebody accepts for now: a file with their names, a reason and a date for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from smartauth_probe.entries import Unreadable, read_entries

EXAMPLE = "- check: NAME, and below it reason: and until:"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Until that day, in the form 2027-01-31, a failure of the check is listed and is no failure."""

    reason: str
    until: str


def read_accepted(file: Path, today: date) -> Mapping[str, Accepted]:
    """By the name of the check; what is over is left out. Raises Unreadable."""
    found: dict[str, Accepted] = {}
    for number, entry in enumerate(read_entries(file, EXAMPLE), 1):
        name, accepted, last = _accepted(entry, f"{file}, entry {number}")
        if last >= today:
            found[name] = accepted
    return found


def _accepted(entry: Any, where: str) -> tuple[str, Accepted, date]:
    members = entry if isinstance(entry, dict) else {}
    if missing := [name for name in ("check", "reason", "until") if not members.get(name)]:
        raise Unreadable(f"{where}: {missing[0]} is missing")
    try:
        last = date.fromisoformat(str(members["until"]))
    except ValueError:
        raise Unreadable(f"{where}: until is no date such as 2027-01-31") from None
    return str(members["check"]), Accepted(str(members["reason"]), str(members["until"])), last
