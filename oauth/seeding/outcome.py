"""What a run of the seed has done so far, and the one way it writes a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import models

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.models import FhirServer
from oauth.seeding.schema import SeedError


@dataclass(slots=True)
class Outcome:
    """`changes` in words, and the client secrets that were drawn: they are shown once and kept nowhere."""

    folder: Path
    demo: bool = False
    changes: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, added: bool, changed: Iterable[str], **reference: str) -> None:
        """One line and one security event for a row that was added or changed; nothing for one that was not."""
        names = ", ".join(sorted(changed))
        if not added and not names:
            return
        self.changes.append(f"added {what}" if added else f"changed {what}: {names}")
        reason = "added" if added else f"changed {names}"
        record(Event(kind=EventKind.SEEDED, at=clock.now(), reason=reason, **reference))


def put(row: models.Model, given: Mapping[str, Any]) -> list[str]:
    """Sets what is given and writes the row if that makes a difference. The names of what changed."""
    changed = [name for name, value in given.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, given[name])
    if row._state.adding:
        row.save()
    elif changed:
        row.save(update_fields=changed)  # nothing else: access may be ended at this moment
    return changed


def server(base: str, path: str) -> FhirServer:
    """The FHIR server of that base, from this file or an earlier one. Raises SeedError."""
    found = FhirServer.objects.filter(base=base).first()
    if found is None:
        raise SeedError(path, f"no FHIR server has the base {base}; is it listed under fhir_servers?")
    return found
