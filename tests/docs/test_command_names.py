"""What people read names the command that they have: in a checkout manage.py, of an installed server smartauth."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import named
from tests.running import ROOT

pytestmark = pytest.mark.one_engine

SHOWN = [*sorted((ROOT / "templates").rglob("*.*")), *sorted((ROOT / "static").glob("*.js"))]
PACKAGES = ("accounts", "audit", "fhir", "introspection", "oauth", "operators", "smart", "smartauth")
NO_SENTENCES = {"manage.py", " manage.py", "manage.py keys"}  # how it is called, and what trails call who acted


def texts(file: Path) -> Iterator[str]:
    """Every text of a module that is no docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in docs:
            yield each.value


def test_no_page_says_manage_py() -> None:
    assert SHOWN
    assert [named(file) for file in SHOWN if "manage.py" in file.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_sentence_says_manage_py(package: str) -> None:
    found = [text for file in sorted((ROOT / package).rglob("*.py")) for text in texts(file) if "manage.py" in text]

    assert [text for text in found if text not in NO_SENTENCES] == []
