"""A restore with the trail: nothing is replaced before copies of both are there, and what has changed is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from audit.models import OutboxEvent
from oauth.ending.selection import Actor
from operators.backup import service
from operators.backup.manifest import HalfRestored, Manifest, UnusableBackup
from operators.backup.postgresql import ProgramFailed

pytestmark = pytest.mark.requirement("RV-08")
MAIN, TRAIL = service.MAIN, service.TRAIL


class Databases:
    """Two that are drafted and replaced in name alone; `failing` names the step that fails, and in what."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []
        self.failing: dict[tuple[str, str], Exception] = {}

    @contextmanager
    def drafted(self, alias: str, *_: Any) -> Iterator[Callable[[], None]]:
        self._do("draft", alias)
        yield lambda: self._do("replace", alias)

    def _do(self, *step: str) -> None:
        if error := self.failing.get((step[0], step[1])):
            raise error
        self.steps.append((step[0], step[1]))


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Databases:
    made = Databases()
    monkeypatch.setattr(Manifest, "read", lambda _: Manifest("1", "any", "2026", {}))
    monkeypatch.setattr(service, "_require_restorable", lambda *_, **__: None)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    monkeypatch.setattr(OutboxEvent.objects, "create", lambda **_: None)
    monkeypatch.setattr(service, "_drafted", made.drafted)
    return made


def restore(*, with_trail: bool) -> None:
    service.restore_backup(Path("/backup"), Actor(now=1), with_trail=with_trail)


def test_copies_of_both_are_there_before_the_trail_is_replaced_and_then_the_rest(databases: Databases) -> None:
    restore(with_trail=True)

    assert databases.steps == [("draft", MAIN), ("draft", TRAIL), ("replace", TRAIL), ("replace", MAIN)]


def test_the_trail_stays_unless_it_is_asked_for(databases: Databases) -> None:
    restore(with_trail=False)

    assert databases.steps == [("draft", MAIN), ("replace", MAIN)]


@pytest.mark.parametrize("alias", [MAIN, TRAIL])
@pytest.mark.parametrize("refusal", [UnusableBackup("damaged"), ProgramFailed("damaged")])
def test_where_one_copy_cannot_be_made_none_is_replaced(databases: Databases, alias: str, refusal: Exception) -> None:
    databases.failing["draft", alias] = refusal

    with pytest.raises(type(refusal)):
        restore(with_trail=True)

    assert not any(step == "replace" for step, _ in databases.steps)


@pytest.mark.parametrize("refusal", [UnusableBackup("Full."), ProgramFailed("Full.")])
def test_where_the_second_cannot_be_replaced_what_has_changed_is_told(databases: Databases, refusal: Exception) -> None:
    databases.failing["replace", MAIN] = refusal

    with pytest.raises(HalfRestored, match=r"^Full\. The trail is that of the backup, the main .* is as it was\.$"):
        restore(with_trail=True)


def test_without_the_trail_a_refusal_changes_nothing_and_says_so(databases: Databases) -> None:
    databases.failing["replace", MAIN] = UnusableBackup("Full.")

    with pytest.raises(UnusableBackup):
        restore(with_trail=False)
