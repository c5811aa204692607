"""What a run of the seed has done so far, and the one way it writes a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import models

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.models import FhirServer
from oauth.seeding.schema import SeedError
from smart.text import ascii_excerpt, has_unsafe_characters
from smart.time_units import to_datetime


@dataclass(slots=True)
class Outcome:
    """`changes` and `warnings` in words, and the client secrets that were drawn: shown once and kept nowhere."""

    folder: Path
    demo: bool = False
    operator: str = ""  # who adds a single row, as events name them; "" for a file
    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    _demo_hashes: dict[str, str] = field(default_factory=dict)
    today: date = field(default_factory=lambda: to_datetime(clock.now()).date())

    def record_change(self, what: str, added: bool, changed: Iterable[str], **reference: str) -> None:
        """One line and one security event for a row that was added or changed; nothing for one that was not."""
        names = ", ".join(sorted(changed))
        if not added and not names:
            return
        self.changes.append(f"added {what}" if added else f"changed {what}: {names}")
        if self.operator:
            kind, reason = EventKind.OPERATOR_ADDED, what.partition(" ")[0]
        else:
            kind, reason = EventKind.SEEDED, "added" if added else f"changed {names}"
        record_events(Event(kind=kind, at=clock.now(), reason=reason, operator=self.operator, **reference))

    def password_hash(self, password: str | None) -> str:
        """With a salt of its own; people of the demo share theirs, as they share a password that everybody knows."""
        if not self.demo or password is None:
            return make_password(password)
        if password not in self._demo_hashes:
            self._demo_hashes[password] = make_password(password)
        return self._demo_hashes[password]

    def record_difference(self, what: str, before: set[str], after: set[str]) -> None:
        """One line more about a row that was changed: what a list of it got and what it lost."""
        parts = {"added": sorted(after - before), "taken away": sorted(before - after)}
        found = "; ".join(f"{verb} {', '.join(names)}" for verb, names in parts.items() if names)
        if found:
            self.changes.append(f"{what}: {found}")


def set_fields(row: models.Model, values: Mapping[str, Any]) -> list[str]:
    """Sets the values. The names of those that made a difference."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def save_fields(row: models.Model, changed: Iterable[str]) -> None:
    """Writes a new row whole, and of one that is there only what changed: access may be ended at this moment."""
    if row._state.adding:
        row.save()
    elif names := list(changed):
        row.save(update_fields=names)


def find_row(rows: models.Manager[Any] | models.QuerySet[Any], **key: str) -> Any:
    """The row of that key, None if there is none; what no database can hold is not asked for."""
    return None if any(map(has_unsafe_characters, key.values())) else rows.filter(**key).first()


def fhir_server_at(base: str, path: str) -> FhirServer:
    """The FHIR server of that base, from this file or an earlier one. Raises SeedError."""
    found: FhirServer | None = find_row(FhirServer.objects, base=base)
    if found is None:
        raise SeedError(path, f"no FHIR server has the base {ascii_excerpt(base)}; is it listed under fhir_servers?")
    return found
