"""The latest refusals of a development server in its data folder, where every process finds them (AZ-25).

Two files, each with one line of JSON for a refusal: the newest fill the first one, which then takes the place of the
second. So strangers fill no disk, and a line is written without waiting for anybody.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from smart.explanation import Explanation

FILES = ("refusals.jsonl", "refusals-before.jsonl")
MOST_BYTES = 500_000  # of each: some thousand refusals

log = logging.getLogger("smartauth.refusal")


def append(explanation: Explanation) -> None:
    """Writes it down. An answer never waits for a disk that is full or read-only: then only this process knows it."""
    line = json.dumps(asdict(explanation)).encode() + b"\n"
    newest, before = _paths()
    try:
        descriptor = os.open(newest, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)  # whole, beside those of other processes: O_APPEND
            if os.fstat(descriptor).st_size > MOST_BYTES:
                _turn_over(newest, before)
        finally:
            os.close(descriptor)
    except OSError as problem:
        log.warning("%s: %s; no other process can explain %s", newest, problem.strerror, explanation.reference)


def find(reference: str) -> Explanation | None:
    """The newest refusal with that reference; None where it is of something else or too old."""
    for line in _newest_first():
        if reference in line:
            found = _parse(line)
            if found is not None and found.reference == reference:
                return found
    return None


def _turn_over(newest: Path, before: Path) -> None:
    """Once, whichever process comes first: under a lock that ends with its file descriptor."""
    folder = os.open(newest.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if newest.stat().st_size > MOST_BYTES:
            newest.replace(before)
    finally:
        os.close(folder)


def _newest_first() -> Iterator[str]:
    for path in _paths():
        try:
            yield from reversed(path.read_text(encoding="utf-8", errors="replace").splitlines())
        except OSError:
            continue


def _parse(line: str) -> Explanation | None:
    """None for a line that is cut, or of another version."""
    try:
        return Explanation(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _paths() -> tuple[Path, Path]:
    newest, before = (settings.SMARTAUTH_DATA_DIR / name for name in FILES)
    return newest, before
