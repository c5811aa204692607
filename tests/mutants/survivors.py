"""Mutants that no test notices, and the list of those that are no gap: accepted.toml, with the reason."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
DOCS = HERE.parent.parent / "docs/mutation-tests.md"
_TOKEN = re.compile(r'"[^"]*"|\w+|\s+|[<>=!]=|.')


class Survivor(NamedTuple):
    function: str
    change: str


class Accepted(NamedTuple):
    """Survivors that are no gap: functions as in fnmatch, changes with `*` for any text."""

    where: tuple[str, ...]
    changes: tuple[str, ...]
    words: str
    reason: str

    def is_like(self, survivor: Survivor) -> bool:
        return any(fnmatchcase(survivor.function, each) for each in self.where) and any(
            re.fullmatch(".*".join(map(re.escape, each.split("*"))), survivor.change) for each in self.changes
        )


def is_accepted(survivor: Survivor) -> bool:
    return any(each.is_like(survivor) for each in accepted())


@cache
def accepted() -> list[Accepted]:
    rows = tomllib.loads((HERE / "accepted.toml").read_text(encoding="utf-8"))["accepted"]
    return [
        Accepted(_texts(row["where"]), _texts(row.get("change", "*")), row.get("words", ""), row["reason"])
        for row in rows
    ]


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def survivors(copy: Path, mutants: Iterable[str]) -> dict[str, Survivor]:
    """These mutants of the working copy, each as a function and what was changed in it."""
    found = subprocess.run(
        [sys.executable, "tests/mutants/mutmut_here.py", "changes"],
        cwd=copy,
        input=json.dumps(sorted(mutants)),
        text=True,
        capture_output=True,
        check=True,
    )
    return {mutant: Survivor(function_of(mutant), change_of(diff)) for mutant, diff in json.loads(found.stdout).items()}


def function_of(mutant: str) -> str:
    """`a.b.xǁClassǁmethod__mutmut_3` is `a.b.Class.method`, `a.b.x_name__mutmut_3` is `a.b.name`."""
    module, _, name = mutant.rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}.{name[2:].replace('ǁ', '.')}"


def change_of(diff: str) -> str:
    """The tokens of a diff that differ: `<= -> <`."""
    lines = [(line[:1], line[1:].strip()) for line in diff.splitlines()]
    old, new = (_TOKEN.findall(" ".join(text for sign, text in lines if sign == mark)) for mark in "-+")
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    sides = ("".join(side[head : len(side) - tail]).strip() for side in (old, new))
    return " -> ".join(sides).strip()


def _common(old: list[str], new: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def table() -> str:
    """The list as the documentation shows it."""
    lines = ["| Where | Change | Why no test can see it, or need |", "|---|---|---|"]
    for row in accepted():
        where = ", ".join(f"`{each}`" for each in row.where)
        changes = row.words or ", ".join(f"`{each}`" for each in row.changes).replace("|", "\\|")
        lines.append(f"| {where} | {'any' if changes == '`*`' else changes} | {row.reason} |")
    return "\n".join(lines)


def document() -> None:
    """Writes the table into docs/mutation-tests.md."""
    DOCS.write_text(with_table(DOCS.read_text(encoding="utf-8")), encoding="utf-8")


def with_table(text: str) -> str:
    head, start, rest = text.partition("<!-- accepted.toml -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    return f"{head}{start}\n{table()}\n\n{end}{tail}"
