"""The lines of docs/specification, and the tests that name them. `make specification` writes its page of tests."""

import ast
import functools
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/specification"
WRITTEN = FOLDER / "tests.md"
ROW = re.compile(r'^\| <a id="(?P<anchor>[a-z0-9-]+)"></a>\[(?P<id>[A-Z0-9-]+)\]\(tests\.md#(?P<link>[a-z0-9-]+)\) \|')
CELLS = re.compile(r"(?<!\\)\|")
IDENTIFIER = re.compile(r"(?:[A-Z]{2,3}|V1)-\d+|E\d{1,3}")
MARK = "pytest.mark.requirement"
SPAN = re.compile(rf"(?P<first>{IDENTIFIER.pattern})(?:\s+to\s+(?P<last>{IDENTIFIER.pattern}))?")
HEAD = """# The tests behind each line

Written by `make specification` from the tests: a test names a line with
`@pytest.mark.requirement("AZ-07")`, and fails when that line is broken. "Open" leads to the reason
in the [list of open lines](open.md); "none" is a line that is no MUST and that no test names.
"""


@dataclass(frozen=True)
class Line:
    """A line of the specification: where it stands, and whether it must hold."""

    identifier: str
    level: str
    page: str
    title: str

    @property
    def anchor(self) -> str:
        return self.identifier.lower()

    @property
    def needs_a_test(self) -> bool:
        return self.level.startswith("MUST")


# What the pages say ---------------------------------------------------------------------------------------------------


def lines() -> list[Line]:
    """Every line that has an id, in the order of the map."""
    order = re.findall(r"\]\(([a-z-]+\.md)\)", (FOLDER / "index.md").read_text(encoding="utf-8"))
    return [line for page in dict.fromkeys(order) if page != WRITTEN.name for line in _lines_of(FOLDER / page)]


def _lines_of(page: Path) -> Iterator[Line]:
    title = section = ""
    columns: list[str] = []
    for text in page.read_text(encoding="utf-8").splitlines():
        if text.startswith("#"):
            section = text.lstrip("# ")
            title = title or section
        elif found := ROW.match(text):
            cells = dict(zip(columns, (cell.strip() for cell in CELLS.split(text)), strict=False))
            yield Line(found["id"], _level(cells, section), page.name, title)
        elif text.startswith("| ID"):
            columns = [cell.strip() for cell in CELLS.split(text)]


def _level(cells: dict[str, str], section: str) -> str:
    """What the column says; without one a line is a MUST. Nobody has to offer what is optional."""
    if "Trap" in cells:
        return "decision"
    return "MAY" if "(optional)" in section else cells.get("Level", "MUST")


def open_lines() -> dict[str, str]:
    """The lines that open.md lists, each with the heading that it stands under."""
    found: dict[str, str] = {}
    known = [line.identifier for line in lines()]
    for part in (FOLDER / "open.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        listed = part.partition("\nLines: ")[2].partition(".\n")[0]
        for span in SPAN.finditer(listed):
            first, last = known.index(span["first"]), known.index(span["last"] or span["first"])
            found.update(dict.fromkeys(known[first : last + 1], part.splitlines()[0]))
    return found


# What the tests name --------------------------------------------------------------------------------------------------


@functools.cache
def marked_tests() -> dict[str, list[tuple[str, str]]]:
    """For each id the tests that name it: file, and function or what else of the file."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        module = ast.parse(text) if MARK in text else ast.Module([], [])
        for statement in module.body:
            for function, identifier in _marked(statement, module):
                test = (str(path.relative_to(ROOT)), function)
                if test not in found[identifier]:
                    found[identifier].append(test)
    return found


def _marked(node: ast.stmt, module: ast.Module) -> Iterator[tuple[str, str]]:
    """The marks of a statement: those of a class's tests one by one, those of a function under its name."""
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _marked(inner, module)
    name = f"`{node.name}`" if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else "a table"
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
        name = "the whole file"
    parts: list[ast.AST] = [*node.decorator_list] if isinstance(node, ast.ClassDef) else [node]
    names = {MARK, *_other_names(module)}
    for call in (call for part in parts for call in ast.walk(part) if _is_mark(call, names)):
        assert isinstance(call, ast.Call)
        for identifier in _identifiers(call, module):
            yield name, identifier


def _is_mark(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in names


def _other_names(module: ast.Module) -> set[str]:
    """What a file calls the marker: `line = pytest.mark.requirement`."""
    return {
        ast.unparse(node.targets[0])
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and ast.unparse(node.value) == MARK
    }


def _identifiers(call: ast.Call, module: ast.Module) -> Iterator[str]:
    """The ids that a mark is given; where they are computed from the tables of the file, those of its tables."""
    literal = all(isinstance(argument, ast.Constant) for argument in call.args)
    tables = [node for node in module.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    for part in (part for root in (call.args if literal else tables) for part in ast.walk(root)):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and IDENTIFIER.fullmatch(part.value):
            yield part.value


# The page -------------------------------------------------------------------------------------------------------------


def page() -> str:
    """What tests.md has to say now."""
    tests, opened = marked_tests(), open_lines()
    text = [HEAD]
    title = ""
    for line in lines():
        if line.title != title:
            title = line.title
            text.append(f"\n## {title}\n\n| ID | Level | Tests |\n|---|---|---|\n")
        anchor = f'<a id="{line.anchor}"></a>[{line.identifier}]({line.page}#{line.anchor})'
        text.append(f"| {anchor} | {line.level} | {_proof(line, tests, opened)} |\n")
    return "".join(text)


def _proof(line: Line, tests: dict[str, list[tuple[str, str]]], opened: dict[str, str]) -> str:
    if line.identifier in opened:
        heading = opened[line.identifier]
        return f"open: [{heading}](open.md#{re.sub(r'[^a-z0-9 -]', '', heading.lower()).replace(' ', '-')})"
    files: defaultdict[str, list[str]] = defaultdict(list)
    for file, function in tests.get(line.identifier, []):
        files[file].append(function)
    return (
        "<br>".join(
            f"[{file.removeprefix('tests/')}](../../{file}): {', '.join(names)}" for file, names in files.items()
        )
        or "none"
    )


def without_a_test(prefix: str = "") -> list[Line]:
    """The lines that no test names, also those that nobody has to offer."""
    tests = marked_tests()
    return [line for line in lines() if line.identifier not in tests and line.identifier.startswith(prefix)]


def main() -> None:
    if sys.argv[1:2] == ["--open"]:
        for line in without_a_test(*sys.argv[2:3]):
            sys.stdout.write(f"{line.identifier:7} {line.level:7} {line.page}\n")
    else:
        WRITTEN.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
