"""Nobody but the account of the server reads the data folder and its files."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from smartauth.data_folder import is_open_to_others, make_folder, private_file
from tests.running import ROOT


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with this data folder."""
    environment = {**os.environ, "SMARTAUTH_DATA_DIR": str(folder)}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.requirement("SB-07")
@pytest.mark.parametrize("rights", [0o755, 0o750, 0o701, 0o770, 0o777, 0o710])
def test_a_folder_that_another_account_can_enter_is_seen(tmp_path: Path, rights: int) -> None:
    tmp_path.chmod(rights)

    assert is_open_to_others(tmp_path)


@pytest.mark.parametrize("rights", [0o700, 0o500])
def test_a_folder_of_ones_own_is_not(tmp_path: Path, rights: int) -> None:
    tmp_path.chmod(rights)

    assert not is_open_to_others(tmp_path)
    assert not is_open_to_others(tmp_path / "not-there-yet")


@pytest.mark.requirement("SB-07")
def test_nothing_starts_on_an_open_folder_and_the_line_says_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    refused = check(tmp_path)

    assert refused.returncode == 1
    assert refused.stderr.startswith("smartauth: SMARTAUTH_DATA_DIR is unsafe: open to other accounts")
    assert "chmod 700" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_made_for_its_owner_and_so_are_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    assert check(folder).returncode == 0

    assert mode(folder) == 0o700
    files = sorted(folder.iterdir())
    assert {"secret-key", "key-encryption-key"} <= {file.name for file in files}
    assert {mode(file) for file in files} == {0o600}


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SystemExit, match=r"^smartauth: SMARTAUTH_DATA_DIR: \S+/file/data: Not a directory\.$"):
        make_folder(tmp_path / "file" / "data")


def test_a_file_of_an_earlier_version_and_its_journals_are_closed(tmp_path: Path) -> None:
    database = tmp_path / "smartauth.sqlite3"
    for file in (database, tmp_path / "smartauth.sqlite3-wal", tmp_path / "smartauth.sqlite3-shm"):
        file.write_bytes(b"x")
        file.chmod(0o644)

    private_file(database)

    assert {mode(file) for file in tmp_path.iterdir()} == {0o600}
    assert database.read_bytes() == b"x"
