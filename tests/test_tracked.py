"""What a copy of a checkout holds."""

import subprocess
from pathlib import Path

import pytest

from tests.running import ROOT
from tests.tracked import clone, tracked_files

pytestmark = pytest.mark.one_engine


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Tracked: a script that was changed since, and a file that was deleted. New: one, and one that git ignores."""
    root = tmp_path / "checkout"
    (root / "docker/secrets").mkdir(parents=True)
    for name, text in {"docker/draw.sh": "old", "gone": "", ".gitignore": "secrets\n"}.items():
        (root / name).write_text(text)
    (root / "docker/draw.sh").chmod(0o755)
    for command in ("init", "add ."):
        subprocess.run(["git", *command.split()], cwd=root, check=True, capture_output=True)
    (root / "docker/draw.sh").write_text("new")
    (root / "gone").unlink()
    (root / "new").write_text("")
    (root / "docker/secrets/key").write_text("secret")
    return root


def test_a_clone_is_what_git_tracks_as_it_is_now_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"

    clone(copy, checkout)

    assert {str(file.relative_to(copy)) for file in copy.rglob("*") if file.is_file()} == {
        ".gitignore",
        "docker/draw.sh",
    }
    assert (copy / "docker/draw.sh").read_text() == "new"
    assert (copy / "docker/draw.sh").stat().st_mode & 0o111


def test_new_files_are_ours_if_asked_for_but_none_that_git_ignores(checkout: Path) -> None:
    assert sorted(tracked_files(checkout, also_new=True)) == [".gitignore", "docker/draw.sh", "new"]


@pytest.mark.parametrize("beginning", [b"SQLite format 3\0", b"PGDMP"])
def test_no_database_is_ours(beginning: bytes) -> None:
    """One that a command or a test has made beside the code, under a name that git does not ignore."""
    found = []
    for name in tracked_files():
        with (ROOT / name).open("rb") as file:
            found += [name] if file.read(len(beginning)) == beginning else []

    assert found == []
