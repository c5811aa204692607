"""A request, who makes it, and what was decided about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir.models import Record
from fhir.operation_outcome import TooMuchToChange
from fhir.search.query import Pairs
from fhir.versions.version import ResourceType, Version
from smart.decisions.decision import Decision
from smart.decisions.interactions import RequestPath
from smart.decisions.view import Reach, View
from smart.http.limits import MAX_BATCH_BODY

MAX_CHANGED = 8 * MAX_BATCH_BODY


@dataclass(slots=True)
class Work:
    """How many characters of resources the writes of one request have changed, in all entries of a batch.

    What raises TooMuchToChange is more than one request may cost. One resource alone may always be changed.
    """

    changed: int = 0

    def take_up(self, record: Record) -> Record:
        """The record, to be judged, patched and compared. Raises TooMuchToChange."""
        self._count(len(record.content), is_first=not self.changed)
        return record

    def grow(self, before: Record, text: str) -> None:
        """What a patch or an update makes of it may be longer, to be judged too. Raises TooMuchToChange."""
        self._count(max(0, len(text) - len(before.content)), is_first=False)

    def _count(self, characters: int, *, is_first: bool) -> None:
        self.changed += characters
        if characters and not is_first and self.changed > MAX_CHANGED:
            raise TooMuchToChange


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, as introspection says, and how far its scopes reach at this base.

    `reach` is that of the person's role; `by_scopes` what the scopes alone would reach, to tell one from the other.
    """

    version: Version
    base: str
    reach: Reach
    by_scopes: Reach
    claims: Mapping[str, Any]
    address: str = ""
    work: Work = field(default_factory=Work)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request below the base: that of HTTP, or one of a batch. `new_id` is for what it creates."""

    method: str
    path: RequestPath
    parameters: Pairs = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    new_id: str = ""

    @property
    def interaction(self) -> str:
        """What it asks for, "" for nothing that is known."""
        return self.path.interaction(self.method)

    @property
    def prefers(self) -> frozenset[str]:
        """What the Prefer header asks for (RFC 7240)."""
        sent = self.headers.get("Prefer", "").replace(" ", "").lower()
        return frozenset(sent.replace(";", ",").split(","))


@dataclass(frozen=True, slots=True)
class Interaction:
    """A request that was allowed. The store is asked with the views of its decision and with no others."""

    caller: Caller
    asked: Asked
    resource_type: ResourceType
    decision: Decision

    @property
    def version(self) -> Version:
        """The FHIR version of the base."""
        return self.caller.version

    @property
    def base(self) -> str:
        """The base as configured."""
        return self.caller.base

    @property
    def path(self) -> RequestPath:
        """Type, id and version that the request names."""
        return self.asked.path

    @property
    def view(self) -> View:
        """Which records of the type this interaction may touch."""
        return self.decision.views[self.path.type]

    @property
    def matched(self) -> View:
        """Among which records of the type a condition is looked for (WR-11)."""
        return self.decision.matched.get(self.path.type, ())
