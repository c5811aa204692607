"""Plain English: nobody is he or she, and prose fits the screen."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import named
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

WIDTH = 100
# also in names, where an underscore ends a word
GENDERED = re.compile(
    r"(?<![^\W\d_])(?:he|him|his|himself|she|her|hers|herself|whom|whomever|whoever)(?![^\W\d_])", re.I
)
MARKDOWN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "demo").rglob("*.md"))]
MARKDOWN += sorted(file for file in (ROOT / "clients").rglob("*.md") if "node_modules" not in file.parts)
FOLDERS = (
    "accounts", "audit", "bench", "clients", "demo", "docs", "fhir", "introspection", "oauth", "operators", "smart",
    "smartauth", "smartauth_probe", "static", "templates", "tests",
)  # fmt: skip
WRITTEN = [
    file
    for folder in FOLDERS
    for file in sorted((ROOT / folder).rglob("*"))
    if file.suffix in {".css", ".html", ".java", ".js", ".mjs", ".py", ".txt", ".yaml"}
    and not {"vendor", "node_modules", "__pycache__"} & set(file.parts)
    and file != Path(__file__)
]
QUOTED = re.compile(r"`[^`\n]*`")


def offending(file: Path) -> list[str]:
    """The words of a file that make somebody a man or a woman; names of tests and code in backticks are names."""
    text = file.read_text(encoding="utf-8")
    return GENDERED.findall(QUOTED.sub("", text) if file.suffix == ".md" else text)


@pytest.mark.parametrize("file", [*MARKDOWN, *WRITTEN], ids=named)
def test_no_text_genders_people(file: Path) -> None:
    assert offending(file) == []


@pytest.mark.parametrize("file", MARKDOWN, ids=named)
def test_prose_is_wrapped(file: Path) -> None:
    """Tables, code and what cannot be broken may be longer."""
    text = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.M | re.S)
    lines = [line for line in text.splitlines() if not line.startswith(("|", "#", "    ", "<"))]

    assert [line for line in lines if len(line) > WIDTH and " " in unbreakable(line)] == []


def unbreakable(line: str) -> str:
    """The line without the mark of a list, with links and code in one piece."""
    text = re.sub(r"^\s*(?:[-*>]|\d+\.)\s+", "", line).strip()
    return re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", "x", text)
