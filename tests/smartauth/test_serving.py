"""How the server is begun."""

import os
from multiprocessing import get_context, spawn
from pathlib import Path

import pytest

from smartauth.serving import stay_in_closed_folder

pytestmark = pytest.mark.one_engine


def test_a_folder_that_is_gone_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    stay_in_closed_folder()

    assert Path.cwd() == Path("/")


def test_in_a_folder_that_cannot_be_entered_by_name_a_relative_path_is_one_file_to_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another account than root's finds it: that folder's name is refused, and it is the current one."""

    def enter(folder: str) -> None:
        raise PermissionError(folder)

    monkeypatch.setattr(spawn, "get_preparation_data", spawn.get_preparation_data)
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as closed:
        closed.setattr("os.chdir", enter)
        stay_in_closed_folder()

    assert Path.cwd() == tmp_path
    assert "dir" not in spawn.get_preparation_data("a process")
    spawned = get_context("spawn").Process(target=os.mkdir, args=("made",))
    spawned.start()
    spawned.join(timeout=60)
    assert (tmp_path / "made").is_dir()


def test_in_any_other_folder_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = spawn.get_preparation_data

    stay_in_closed_folder()

    assert Path.cwd() == tmp_path
    assert spawn.get_preparation_data is before
