"""Mutants that no test notices, and the list of those that are no gap: accepted.toml, with the reason."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
DOCS = HERE.parent.parent / "docs/mutation-tests.md"
_TOKEN = re.compile(r'"[^"]*"|\w+|\s+|[<>=!]=|.')


class Survivor(NamedTuple):
    """A function, the tokens that were changed in it, and the lines in which they stood."""

    function: str
    change: str
    lines: str = ""


class Accepted(NamedTuple):
    """Survivors that are no gap: functions as in fnmatch, changes with `*` for any text, in a line with that text."""

    where: tuple[str, ...]
    changes: tuple[str, ...]
    words: str
    reason: str
    line: str = ""

    def is_like(self, survivor: Survivor) -> bool:
        return (
            self.line in survivor.lines
            and any(fnmatchcase(survivor.function, each) for each in self.where)
            and any(re.fullmatch(".*".join(map(re.escape, each.split("*"))), survivor.change) for each in self.changes)
        )

    def parts(self) -> Iterable["Accepted"]:
        """One for each place, and one for each change."""
        yield from (self._replace(where=(each,)) for each in self.where if len(self.where) > 1)
        yield from (self._replace(changes=(each,)) for each in self.changes)


def is_accepted(survivor: Survivor) -> bool:
    return any(each.is_like(survivor) for each in accepted())


@cache
def accepted() -> list[Accepted]:
    rows = tomllib.loads((HERE / "accepted.toml").read_text(encoding="utf-8"))["accepted"]
    return [
        Accepted(
            _texts(row["where"]), _texts(row.get("change", "*")), row.get("words", ""), row["reason"],
            row.get("line", ""),
        )
        for row in rows
    ]  # fmt: skip


def unmatched(found: Collection[Survivor], is_tried: Callable[[str], bool]) -> list[str]:
    """What of the list no survivor is like, where everything was tried: a test sees it now, or it is gone."""
    return [
        f"{', '.join(part.where)}: {', '.join(part.changes)}"
        for entry in accepted()
        for part in entry.parts()
        if all(map(is_tried, part.where)) and not any(map(part.is_like, found))
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
    diffs = json.loads(found.stdout).items()
    return {mutant: Survivor(function_of(mutant), change_of(diff), lines_of(diff)) for mutant, diff in diffs}


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


def lines_of(diff: str) -> str:
    """What a diff takes away."""
    return " ".join(line[1:].strip() for line in diff.splitlines() if line.startswith("-"))


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


def document(score_table: Callable[[str], str]) -> None:
    """Writes the list and the score into docs/mutation-tests.md."""
    page = with_table(DOCS.read_text(encoding="utf-8"))
    _, start, rest = page.partition("<!-- score -->\n")
    score, _, _ = rest.partition("<!-- end of the score -->")
    DOCS.write_text(page.replace(f"{start}{score}", f"{start}\n{score_table(score)}\n\n", 1), encoding="utf-8")


def with_table(text: str) -> str:
    head, start, rest = text.partition("<!-- accepted.toml -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    return f"{head}{start}\n{table()}\n\n{end}{tail}"
