"""Who ends access, whose access ends, and how much of it lived until then."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any, Self

from django.db.models import Q

from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import Event
from oauth.models import Authorization, Client, FhirServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who ends, as events name them: an operator by `sub`, a client or resource server by its id, else the person."""

    now: int
    address: str = ""
    operator: str = ""
    client_id: str = ""

    def event(self, kind: EventKind, **about: str) -> Event:
        named = {"address": self.address, "operator": self.operator, "reference": self.client_id}
        return Event(kind=kind, at=self.now, **named, **about)


@dataclass(frozen=True, slots=True)
class Selection:
    """Whose access ends: which authorizations, and which requests that wait for their person and may lean on them.

    `everything_of` is set where it is all access of one person, client or FHIR server: one event tells of that.
    """

    authorizations: Q
    requests: Q | None
    everything_of: User | Client | FhirServer | None = None

    @classmethod
    def matching(cls, **conditions: Any) -> Self:
        """What these conditions name, which hold for authorizations and for waiting requests alike."""
        return cls(Q(**conditions), Q(**conditions))

    @classmethod
    def everything(cls, of: User | Client | FhirServer) -> Self:
        name = "user" if isinstance(of, User) else "client" if isinstance(of, Client) else "fhir_server"
        return replace(cls.matching(**{name: of}), everything_of=of)

    @classmethod
    def of_authorizations(cls, rows: Iterable[Authorization]) -> Self:
        """These; and requests of the same app for the same, as they may lean on an earlier consent (AZ-23)."""
        rows = list(rows)
        alike = [
            Q(client=row.client_id, user=row.user_id, fhir_server=row.fhir_server_id, patient=row.patient)
            for row in rows
            if row.user_id
        ]
        return cls(Q(pk__in=[row.pk for row in rows]), reduce(or_, alike) if alike else None)

    @classmethod
    def of_sessions(cls, session_digests: Iterable[str]) -> Self:
        """What was granted for as long as these sessions last. No page can be answered without its session."""
        return cls(Q(session_digest__in=list(session_digests)), None)

    def without_request(self, pk: int) -> Self:
        """The same, but this request goes on waiting."""
        return replace(self, requests=self.requests & ~Q(pk=pk) if self.requests is not None else None)


@dataclass(frozen=True, slots=True)
class Ended:
    """How much lived until now."""

    authorizations: int = 0
    access_tokens: int = 0

    def __add__(self, other: "Ended") -> "Ended":
        return Ended(self.authorizations + other.authorizations, self.access_tokens + other.access_tokens)

    def __str__(self) -> str:
        return f"authorizations: {self.authorizations}, access tokens: {self.access_tokens}"
