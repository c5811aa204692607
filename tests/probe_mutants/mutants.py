"""What is broken: a line of a file, what it becomes, and the checks of the probe that must fail then."""

import ast
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Check

HERE = Path(__file__).parent


class StaleMutant(Exception):
    """Why this mutant says nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`new` in place of `old` in `file`. `checks` name those of which one must fail, as --only does.

    `server` serves what is broken. `survives` is why nobody can see it from outside, "" where the probe must. Where
    no standard forbids what it does the probe reports it as a matter of `policy`.
    """

    name: str
    file: str
    old: str
    new: str
    rule: str = ""
    checks: tuple[str, ...] = ()
    server: str = "bundled"
    survives: str = ""
    policy: bool = False
    writes: bool = False
    text: str = field(default="", repr=False)  # the whole file, of a generated one

    @property
    def is_generated(self) -> bool:
        return bool(self.text)

    @property
    def diff(self) -> list[str]:
        """The lines that differ."""
        lines = difflib.ndiff(_lines(self.old), _lines(self.new))
        return [line.rstrip() for line in lines if line.startswith(("- ", "+ "))]

    def broken(self, text: str) -> str:
        """The text of the file, broken. Raises StaleMutant unless the line stands there, once."""
        if self.is_generated:
            return self.text
        found = text.count(self.old)
        if found != 1:
            there = "is no longer there" if not found else f"stands there {found} times"
            raise StaleMutant(f"this line {there} in {self.file}: {self.old.strip()}")
        broken = text.replace(self.old, self.new)
        if self.file.endswith(".py"):
            _parse(broken)
        return broken

    def expects(self, check: Check) -> bool:
        return any(fnmatchcase(word, pattern) for word in check.words for pattern in self.checks)

    def digest(self, text: str) -> str:
        """What a verdict depends on: what is broken, in which file, and which checks must fail."""
        about = (self.broken(text), self.server, *self.checks, str(self.writes))
        return sha256("\0".join(about).encode()).hexdigest()[:16]


def _parse(text: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise StaleMutant(f"what it makes is no Python: {error}") from None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip("\n").split("\n")]


def read_mutants(folder: Path = HERE / "rules") -> list[Mutant]:
    """Those that people wrote, in the order of the files. Raises ValueError for two of one name."""
    rows = [row for file in sorted(folder.glob("*.toml")) for row in _rows(file)]
    mutants = [_mutant(row) for row in rows]
    if len({mutant.name for mutant in mutants}) != len(mutants):
        raise ValueError("two mutants have the same name")
    return mutants


def _rows(file: Path) -> Iterable[Mapping[str, Any]]:
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    defaults = read.get("defaults", {})
    return [{**defaults, **row} for row in read["mutant"]]


def _mutant(row: Mapping[str, Any]) -> Mutant:
    """Raises TypeError for a member that nobody knows, ValueError for a check that nobody makes."""
    mutant = Mutant(**{**row, "checks": tuple(row.get("checks", ()))})
    for pattern in mutant.checks:
        if not any(fnmatchcase(word, pattern) for check in all_checks() for word in check.words):
            raise ValueError(f"{mutant.name}: no check is named {pattern}")
    return mutant
