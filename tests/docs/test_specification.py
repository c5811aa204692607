"""Every id leads to a line, every MUST has a test or a reason, and the written page is up to date."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.specification import IDENTIFIER, ROOT, ROW, WRITTEN, lines, marked_tests, open_lines, page, without_a_test

pytestmark = pytest.mark.one_engine

FOLDERS = ("accounts", "audit", "bench", "demo", "docs", "fhir", "introspection", "oauth", "operators", "smart")
ELSEWHERE = ("clients", "smartauth", "smartauth_probe", "static", "templates", "tests")
OTHERS = re.compile(r"vendor|node_modules|__pycache__|package-lock")
KINDS = {".css", ".html", ".js", ".md", ".mjs", ".py", ".toml", ".yaml"}
NOT_OURS = re.compile(r"# noqa.*|\bE[0-9]+\+|smartauth\.[EW]\d+")
VAGUE = re.compile(r"\b[Ss]ection \d+[a-c]?\b|\b[Tt]able [A-J]\b")


def texts() -> Iterator[tuple[Path, str]]:
    """Everything that people write here, but for what others wrote."""
    files = [file for folder in (*FOLDERS, *ELSEWHERE) for file in sorted((ROOT / folder).rglob("*"))]
    for file in [*files, *sorted(ROOT.glob("*.md"))]:
        if file.suffix in KINDS and not OTHERS.search(str(file.relative_to(ROOT))):
            yield file, file.read_text(encoding="utf-8")


def mentioned() -> Iterator[tuple[str, str]]:
    """Where an id of ours stands, and which: those with a prefix that some line has."""
    prefixes = {line.identifier.rstrip("0123456789") for line in lines()}
    for file, text in texts():
        for found in re.finditer(rf"(?<![\w.%&#/-])(?:{IDENTIFIER.pattern})(?![\w-])", NOT_OURS.sub("", text)):
            if found[0].rstrip("0123456789") in prefixes:
                yield str(file.relative_to(ROOT)), found[0]


def test_the_page_of_tests_is_what_make_specification_writes() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == page(), "run make specification"


def test_an_id_is_one_line_with_an_anchor_of_its_name() -> None:
    identifiers = [line.identifier for line in lines()]

    assert len(set(identifiers)) == len(identifiers)
    for file in WRITTEN.parent.glob("*.md"):
        for row in filter(None, map(ROW.match, file.read_text(encoding="utf-8").splitlines())):
            assert row["anchor"] == row["link"] == row["id"].lower()


def test_every_page_with_ids_stands_in_the_map() -> None:
    mapped = {line.page for line in lines()}

    unmapped = [
        file.name
        for file in WRITTEN.parent.glob("*.md")
        if file.name not in mapped and any(map(ROW.match, file.read_text(encoding="utf-8").splitlines()))
    ]

    assert unmapped == []


def test_every_id_that_a_test_names_is_a_line() -> None:
    assert set(marked_tests()) - {line.identifier for line in lines()} == set()


def test_every_id_in_code_docs_and_tests_is_a_line() -> None:
    known = {line.identifier for line in lines()}

    assert sorted({where for where in mentioned() if where[1] not in known}) == []


def test_every_must_has_a_test_or_stands_in_the_list_of_open_lines() -> None:
    untested = {line.identifier for line in without_a_test() if line.needs_a_test}

    assert set(open_lines()) == untested


def test_a_section_or_table_is_named_with_its_document() -> None:
    """RFC 6749 §5.2, not "section 6": our pages have names, not numbers. This file needs the words."""
    code = [(file, text) for file, text in texts() if file.suffix == ".py" and file != Path(__file__)]

    assert [(str(file.relative_to(ROOT)), found[0]) for file, text in code for found in VAGUE.finditer(text)] == []


def test_the_checklist_for_fhir_servers_names_nothing_of_this_server() -> None:
    text = (WRITTEN.parent / "resource-server.md").read_text(encoding="utf-8")

    assert "SMARTAUTH_" not in text
    assert "/o/" not in text
