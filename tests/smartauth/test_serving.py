"""How the server is begun."""

from pathlib import Path

import pytest

from smartauth.serving import leave_closed_folder

pytestmark = pytest.mark.one_engine


def test_a_folder_that_a_new_process_could_not_enter_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    leave_closed_folder()

    assert Path.cwd() == Path("/")


def test_any_other_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    leave_closed_folder()

    assert Path.cwd() == tmp_path
