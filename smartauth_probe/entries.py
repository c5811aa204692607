"""Small files that a person writes for the probe: a list of entries with members that are text.

They are JSON, or as much of YAML as that needs: `- name: value` with further members below it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMBER = re.compile(r"(?P<item>-\s+)?(?P<name>\w+):\s*(?P<value>.*?)\s*(?:\s#.*)?")


class Unreadable(Exception):
    """What is wrong with the file, and in which line."""


def read_entries(file: Path, example: str) -> list[Any]:
    """Each entry; of YAML a mapping to text. `example` says what one looks like. Raises Unreadable."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Unreadable(f"{file} cannot be read: {problem}") from None
    return _entries(text, file, example)


def _entries(text: str, file: Path, example: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise Unreadable(f"{file}: {problem}") from None
        return found if isinstance(found, list) else []
    return list(_of_yaml(text, file, example))


def _of_yaml(text: str, file: Path, example: str) -> Iterator[dict[str, str]]:
    entry: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        member = MEMBER.fullmatch(stripped)
        if member is None or not (member["item"] or entry):
            raise Unreadable(f"{file}, line {number}: it takes {example}")
        if member["item"] and entry:
            yield entry
            entry = {}
        entry[member["name"]] = member["value"].strip("\"'")
    if entry:
        yield entry
