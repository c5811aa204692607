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


def test_a_folder_is_left_that_is_there_and_cannot_be_entered_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = list[str]()

    def enter(folder: str) -> None:
        if folder == str(tmp_path):
            raise PermissionError(folder)
        entered.append(folder)

    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as closed:
        closed.setattr("os.chdir", enter)
        leave_closed_folder()

    assert entered == ["/"]


def test_any_other_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    leave_closed_folder()

    assert Path.cwd() == tmp_path
