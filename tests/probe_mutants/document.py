"""The table of the documentation: what is broken, and which checks of the probe must find it."""

from collections.abc import Iterable
from pathlib import Path

from tests.probe_mutants.mutants import Mutant, read_mutants
from tests.running import ROOT

PAGE = ROOT / "docs/probe-mutation-tests.md"
START, END = "<!-- rules -->\n", "<!-- end -->"


def table() -> str:
    """Those that must be found, by file and rule, and those that nobody can see."""
    mutants = read_mutants()
    found = [mutant for mutant in mutants if not mutant.survives]
    lines = ["### Found", "", "| Rule | Broken so | Where | Checks |", "|---|---|---|---|", *map(_row, found)]
    lines += ["", "### Not visible from outside", "", "| Rule | Broken so | Where | Why nobody sees it |"]
    lines += ["|---|---|---|---|", *(_row(mutant, mutant.survives) for mutant in mutants if mutant.survives)]
    return "\n".join(lines)


def _row(mutant: Mutant, last: str = "") -> str:
    words = mutant.name.replace("-", " ")
    where = f"`{mutant.file}`" + (f", at {mutant.server}" if mutant.server != "bundled" else "")
    return f"| {mutant.rule} | {words} | {where} | {last or _names(mutant.checks)} |"


def _names(checks: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in checks)


def with_table(text: str) -> str:
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    return f"{head}{start}\n{table()}\n\n{end}{tail}"


def document(page: Path = PAGE) -> None:
    """Writes the table into the page."""
    page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
