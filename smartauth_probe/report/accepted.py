"""Findings that somebody accepts for now: a file with their names, a reason and a date for each.

It is JSON, or as much of YAML as such a list needs: `- check: ...` with further members below it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

MEMBER = re.compile(r"(?P<item>-\s+)?(?P<name>\w+):\s*(?P<value>.*?)\s*(?:\s#.*)?")


class Unreadable(Exception):
    """What is wrong with the file, and in which line."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Until that day, in the form 2027-01-31, a failure of the check is listed and is no failure."""

    reason: str
    until: str


def read_accepted(file: Path, today: date) -> Mapping[str, Accepted]:
    """By the name of the check; what is over is left out. Raises Unreadable."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Unreadable(f"{file} cannot be read: {problem}") from None
    found: dict[str, Accepted] = {}
    for number, entry in enumerate(_entries(text, file), 1):
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


def _entries(text: str, file: Path) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise Unreadable(f"{file}: {problem}") from None
        return found if isinstance(found, list) else []
    return list(_of_yaml(text, file))


def _of_yaml(text: str, file: Path) -> Iterator[dict[str, str]]:
    entry: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        member = MEMBER.fullmatch(stripped)
        if member is None or not (member["item"] or entry):
            raise Unreadable(f"{file}, line {number}: - check: NAME, and below it reason: and until:")
        if member["item"] and entry:
            yield entry
            entry = {}
        entry[member["name"]] = member["value"].strip("\"'")
    if entry:
        yield entry
