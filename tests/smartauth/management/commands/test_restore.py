"""Before a restore what waits goes to the trail; what cannot go is told, and keeps nothing from being restored."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DataError

from audit import shipping
from fhir.audit import shipping as fhir_shipping
from smartauth.management.commands import restore

pytestmark = pytest.mark.requirement("RV-08", "SD-10")
NO_BACKUP = "A backup that was cut short has none"


class Conflict(Exception):
    """As psycopg says it, with what a row holds."""

    diag = SimpleNamespace(message_primary="value too long")


def failing_with(error: Exception, cause: Exception | None = None) -> Callable[..., int]:
    def fail(*_: Any) -> int:
        raise error from cause

    return fail


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server runs, and nothing waits."""
    monkeypatch.setattr(restore, "running_server", lambda _: None)
    for each in (shipping, fhir_shipping):
        monkeypatch.setattr(each, "ship", lambda *_: 0)


def restored(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a restore said before it came to the backup, which is none."""
    with pytest.raises(CommandError, match=NO_BACKUP):
        call_command("restore", str(folder), "--yes")
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (shipping.NotTaken("the trail has taken 0 of 1 events"), "the trail has taken 0 of 1 events"),
        (ValueError("of amy"), "ValueError"),
    ],
)
def test_events_that_the_trail_does_not_take_are_told_and_those_of_the_fhir_server_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Exception, why: str
) -> None:
    fhir = Mock(return_value=1)
    monkeypatch.setattr(shipping, "ship", failing_with(failure))
    monkeypatch.setattr(fhir_shipping, "ship", fhir)

    said = restored(tmp_path, capsys)

    assert said == f"Events that wait in the database that is replaced are lost with it: {why}\n"
    fhir.assert_called_once()


def test_what_a_row_holds_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = DataError("value too long\nDETAIL: Failing row contains (amy).")
    monkeypatch.setattr(fhir_shipping, "ship", failing_with(failure, Conflict()))

    said = restored(tmp_path, capsys)

    assert said.endswith(
        "of the FHIR server that wait in the database that is replaced are lost with it: value too long\n"
    )
