"""What the runs found: mutmut's verdict on each mutant, kept for each package; the score, and what a run must tell."""

import json
import os
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from tests.mutants import survivors
from tests.mutants.survivors import Survivor

ROOT = Path(__file__).resolve().parent.parent.parent
STORE = Path(os.environ.get("MUTANTS_DIR") or ROOT / "var/mutants").resolve()
PACKAGES: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "packages.toml").read_text(encoding="utf-8")
)
SURVIVED, NOT_RUN = 0, {None, 2}
NO_TEST = {5, 33}
TIMEOUTS = {-24, 24, 36, 152, -9}


def metas(name: str) -> Iterator[Path]:
    """The files of a package in which mutmut keeps its verdicts."""
    for meta in (STORE / name / "mutants").glob("**/*.meta"):
        try:
            json.loads(meta.read_text(encoding="utf-8"))
        except ValueError:  # of a run that was stopped while it wrote
            meta.unlink()
        else:
            yield meta


def codes(name: str) -> dict[str, int | None]:
    """mutmut's verdict on each mutant of a package."""
    found: dict[str, int | None] = {}
    for meta in metas(name):
        found.update(json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"])
    return found


def verdict(code: int | None) -> str:
    """mutmut's verdict as the score counts it."""
    if code in NOT_RUN:
        return "not run"
    if code in NO_TEST:
        return "no test"
    if code in TIMEOUTS:
        return "timeout"
    return "alive" if code == SURVIVED else "killed"


def score() -> str:
    """A line for each package that was run."""
    lines = [f"{'package':24}{'mutants':>8}{'killed':>8}{'timeout':>8}{'alive':>8}{'no test':>8}{'not run':>8}"]
    for name in PACKAGES:
        if counted := Counter(verdict(code) for code in codes(name).values()):
            cells = [counted.total(), *(counted[each] for each in ("killed", "timeout", "alive", "no test", "not run"))]
            lines.append(f"{name:24}" + "".join(f"{cell:8}" for cell in cells))
    return "\n".join(lines)


def score_table(page: str) -> str:
    """The score as the documentation shows it: what was run here; another package keeps its row of that page."""
    head = [
        "| Package | Mutants | Killed | Timed out | Listed | Not listed | Not run |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}
    rows |= {name: _row(name) for name in PACKAGES if codes(name)}
    return "\n".join([*head, *(rows[name] for name in PACKAGES if name in rows)])


def _row(name: str) -> str:
    counted = Counter(verdict(code) for code in codes(name).values())
    alive = survivors_of(name).values()
    listed = sum(map(survivors.is_accepted, alive))
    cells = [counted.total(), counted["killed"], counted["timeout"], listed, len(alive) - listed, counted["not run"]]
    return f"| `{name}` | " + " | ".join(map(str, cells)) + " |"


def survivors_of(name: str) -> dict[str, Survivor]:
    """The mutants of a package that no test has noticed."""
    alive = [mutant for mutant, code in codes(name).items() if verdict(code) in ("alive", "no test")]
    return survivors.survivors(STORE / name, alive) if alive else {}


def check(names: Iterable[str]) -> int:
    """Prints the survivors that accepted.toml does not explain; 1 if there is one."""
    new = [
        survivor
        for name in names
        for survivor in sorted(survivors_of(name).values())
        if not survivors.is_accepted(survivor)
    ]
    show(new)
    return int(bool(new))


def check_list() -> int:
    """Prints what of accepted.toml no survivor is like, where all was tried; 1 if there is something."""
    verdicts = {name: found for name in PACKAGES if (found := codes(name))}
    untried = {
        name: {survivors.function_of(mutant) for mutant, code in found.items() if verdict(code) == "not run"}
        for name, found in verdicts.items()
    }

    def is_tried(where: str) -> bool:
        modules = modules_of(where)
        names = [name for name in verdicts if breaks_one_of(PACKAGES[name], modules)]
        left = any(fnmatchcase(each, where) for name in names for each in untried[name])
        return not modules or (bool(names) and not left)

    alive = [survivor for name in verdicts for survivor in survivors_of(name).values()]
    unmatched = survivors.unmatched(alive, is_tried)
    for line in unmatched:
        print(f"accepted, and no survivor: {line}")  # noqa: T201
    return int(bool(unmatched))


def modules_of(where: str) -> list[str]:
    """The files in which a function of that name, or of that pattern, may stand."""
    parts = where.split(".")
    patterns = ["/".join(parts[:length]) + ".py" for length in range(2, len(parts) + 1)]
    return [path.relative_to(ROOT).as_posix() for each in patterns for path in ROOT.glob(each)]


def breaks_one_of(package: dict[str, list[str]], modules: Iterable[str]) -> bool:
    """Whether one of these files is code of the package."""
    left_out = package.get("without", [])
    return any(
        fnmatchcase(module, code) and not any(fnmatchcase(module, each) for each in left_out)
        for module in modules
        for code in package["code"]
    )


def show(found: Iterable[Survivor]) -> None:
    """Prints each with its function."""
    for survivor in found:
        print(f"{survivor.function}: {survivor.change}")  # noqa: T201
