"""CONTRIBUTING names every file of each kind of change: with those, and no others, one of each is a whole change."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.one_of_each import KINDS, Kind
from tests.running import ROOT, migrate_further

pytestmark = pytest.mark.one_engine

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# What is compiled goes along, so that nothing but the changed files is compiled again; not what is being written.
LEFT_OUT = shutil.ignore_patterns(".*", "*.pyc.*", "node_modules", "var")
GUARDS = (
    "tests/docs/test_claims.py", "tests/docs/test_lists_agree.py", "tests/docs/test_pages.py",
    "tests/docs/test_prose.py", "tests/docs/test_specification.py",
)  # fmt: skip
COMMANDS = (
    ("-m", "ruff", "format", "--quiet", "."),
    ("manage.py", "makemigrations", "oauth", "--name", "one_of_each"),
    ("-m", "smartauth.settings_docs"),
    ("-m", "tests.specification"),
)


def listed(heading: str) -> list[str]:
    """The files of a kind of change, with names in braces for what varies."""
    rows = TEXT.partition(f"\n### {heading}\n")[2].partition("\n##")[0]
    return [file for row in re.findall(r"^\| (`[^|]+) \|", rows, re.M) for file in re.findall(r"`([^`]+)`", row)]


def fits(pattern: str, file: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\\{\w+\\}", r"[\\w.-]+", re.escape(pattern)), file))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.heading)
def test_a_change_touches_the_files_that_are_listed_and_no_others(kind: Kind) -> None:
    touched = {edit.file for edit in kind.edits} | set(kind.written)

    assert [file for file in sorted(touched) if not any(fits(each, file) for each in listed(kind.heading))] == []
    assert [each for each in listed(kind.heading) if not any(fits(each, file) for file in touched)] == []


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of everything, with one change of each kind."""
    copy = tmp_path_factory.mktemp("one-of-each") / "smartauth"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    for name in (".ci", ".gitattributes"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    for edit in (edit for kind in KINDS for edit in kind.edits):
        file = copy / edit.file
        text = file.read_text(encoding="utf-8") if edit.old else ""
        assert not edit.old or text.count(edit.old) >= 1, f"{edit.file} has no {edit.old!r}"
        file.write_text(text.replace(edit.old, edit.new, 1) if edit.old else edit.new, encoding="utf-8")
    for command in COMMANDS:
        run(copy, sys.executable, *command)
    yield copy
    shutil.rmtree(copy)


def run(folder: Path, *command: str) -> None:
    """Runs it there, with a database and data of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_") and name != "CI"}
    environment = {**own, "SMARTAUTH_DATA_DIR": str(folder.parent / "data")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def test_the_linters_accept_one_of_each(changed: Path) -> None:
    run(changed, sys.executable, "-m", "ruff", "check", ".")
    run(changed, str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    run(changed, sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")


def test_the_tests_accept_one_of_each(changed: Path) -> None:
    own = [test for kind in KINDS for test in kind.tests]
    migrate_further(changed)

    run(changed, sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *GUARDS, *dict.fromkeys(own))
