"""A backup that fails says that there is none, and where what was begun lies, whatever it failed in."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import Error, OperationalError

from operators.backup import service
from operators.backup.postgresql import ProgramFailed

pytestmark = [pytest.mark.requirement("RV-08"), pytest.mark.usefixtures("committed")]


def failing_with(error: Exception) -> Callable[..., None]:
    def fail(*_: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "failure",
    [
        OperationalError("database or disk is full"),
        ProgramFailed("pg_dump failed."),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_where_a_copy_fails_what_was_begun_is_called_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Exception
) -> None:
    monkeypatch.setattr(service, "_dump", failing_with(failure))

    with pytest.raises((CommandError, Error)) as told:
        call_command("backup", str(tmp_path / "begun"))

    said = f"{capsys.readouterr().err}{told.value}"
    assert f"There is no backup: {tmp_path / 'begun'} holds what was begun." in said
    assert str(failure.args[-1]) in said


def test_where_the_folder_cannot_be_made_nothing_was_begun(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CommandError, match=r"/file/begun: Not a directory\. There is no backup\.$"):
        call_command("backup", str(tmp_path / "file" / "begun"))
