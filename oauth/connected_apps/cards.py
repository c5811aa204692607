"""The words of the cards of /apps: who has access to what, until when, and what has ended.

When access was last used is known from FHIR servers that ask us, within a minute; from where, from those that tell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.models import User
from oauth.authorization import previous_consent
from oauth.connected_apps import listed_access
from oauth.ending.reasons import reason
from oauth.models import (
    AccessToken,
    AddressChange,
    Authorization,
    FhirIdentity,
    PatientRecord,
    RefreshToken,
    liveness,
    public_reference,
)
from oauth.people.wording import display_name, initials, long_date
from smart.scopes.scope_sets import parse_scopes
from smart.time_units import SECOND, to_datetime
from smart.tokens import address_binding, lifetimes, refresh
from smart.wording.consent_line import CHANGE, SEE, WHO, ConsentContext
from smart.wording.consent_lines import consent_lines
from smart.wording.words import RECOGNISE

MAX_CARDS = 100
MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class Record:
    """Whose record it is about, in the words of a card."""

    name: str
    own: bool
    server: str

    @property
    def of_it(self) -> str:
        if not self.server:
            return "your account here"
        if self.own:
            return "your record"
        return f"the record of {self.name}" if self.name else f"what you may see at {self.server}"


@dataclass(frozen=True, slots=True)
class AppCard:
    """One app that has access, as its person sees it."""

    number: str
    app: str
    maker: str
    record: Record
    allowed_on: str
    sees: Sequence[str]
    may: Sequence[str]
    given_at: str
    given_to: str
    used_at: str
    used_from: str
    ends: str
    away: bool
    flagged_at: str
    moved_to: str
    blocked: bool

    @property
    def mark(self) -> str:
        return initials(self.app)

    @property
    def few_seen(self) -> str:
        return enumeration(self.sees)

    @property
    def few_done(self) -> str:
        return enumeration(self.may)

    @property
    def more(self) -> int:
        """How many things it may do, where not all of them are in the sentence."""
        return len(self.sees) + len(self.may) if max(len(self.sees), len(self.may)) > MAX_LISTED else 0


@dataclass(frozen=True, slots=True)
class EndedCard:
    """One access that is over."""

    number: str
    app: str
    record: Record
    at: str
    why: str


@dataclass(frozen=True, slots=True)
class Records:
    """Whose records a person's authorizations are about, read once for all of them."""

    names: dict[tuple[int, str], str]
    own: frozenset[tuple[int, str]]

    @classmethod
    def of(cls, user: User, found: Iterable[Authorization]) -> "Records":
        places = {(row.fhir_server_id, row.patient) for row in found}
        named = PatientRecord.objects.filter(
            fhir_server__in={server for server, _ in places}, patient__in={patient for _, patient in places}
        )
        identities = FhirIdentity.objects.filter(user=user).values_list("fhir_server_id", "resource")
        return cls(
            {(server, patient): name for server, patient, name in named.values_list("fhir_server", "patient", "name")},
            frozenset((server, resource.removeprefix("Patient/")) for server, resource in identities),
        )

    def about(self, row: Authorization) -> Record:
        place = (row.fhir_server_id, row.patient)
        name = self.names.get(place) or (f"the patient with the number {row.patient}" if row.patient else "")
        server = display_name(row.fhir_server.name) if row.fhir_server.holds_records else ""
        return Record(display_name(name), place in self.own, server)


def live_cards(user: User, *, now: int) -> tuple[AppCard, ...]:
    """At most MAX_CARDS, last given first."""
    rows = list(listed_access.live_access(user, now=now)[:MAX_CARDS])
    tokens = AccessToken.objects.in_bulk([row.newest for row in rows if row.newest])
    continuing = liveness.refreshable(now=now).filter(authorization__in=[row.pk for row in rows]).order_by("expires_at")
    refreshes = {token.authorization_id: token for token in continuing}
    records = Records.of(user, rows)
    moves = _other_addresses(rows)
    return tuple(
        _card(row, records.about(row), tokens.get(row.newest), refreshes.get(row.pk), moves.get(row.pk, ""), now=now)
        for row in rows
    )


def ended_cards(user: User, *, now: int) -> tuple[EndedCard, ...]:
    """At most MAX_CARDS of the last 90 days, the last first."""
    rows = list(listed_access.ended_access(user, now=now)[:MAX_CARDS])
    records = Records.of(user, rows)
    return tuple(
        EndedCard(
            number=public_reference(row.pk),
            app=display_name(str(row.client)),
            record=records.about(row),
            at=day_text(row.over_at, now=now) if row.over_at <= now else "not noted",
            why=reason(listed_access.first_reason(row, now=now)).person,
        )
        for row in rows
    )


def longest_token_seconds(user: User) -> int:
    """How many seconds a token may live that a FHIR server does not ask us about."""
    found = (
        Authorization.objects.of(user)
        .filter(ended_at=0)
        .values_list("fhir_server__access_token_seconds", "client__access_token_seconds")
    )
    bounds = {"default": settings.SMARTAUTH_ACCESS_TOKEN_SECONDS, "bound": settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS}
    return max((lifetimes.access_token_seconds(*each, **bounds) for each in found.distinct()), default=0)


def enumeration(texts: Sequence[str]) -> str:
    """The first of them in one sentence, and how many more."""
    more = f" and {len(texts) - MAX_LISTED} more" if len(texts) > MAX_LISTED else ""
    return "; ".join(texts[:MAX_LISTED]) + more


def day_text(at: int, *, now: int) -> str:
    """ "today, 14:02 UTC", "yesterday, 22:40 UTC", "3 October 2026"."""
    when, today = to_datetime(at), to_datetime(now).date()
    word = {today: "today", today - timedelta(days=1): "yesterday"}.get(when.date())
    return f"{word}, {when:%H:%M} UTC" if word else long_date(when.date())


def _other_addresses(rows: Iterable[Authorization]) -> dict[int, str]:
    """The other address for which an authorization was flagged, where that is why."""
    flagged = {row.pk: row.flagged_at for row in rows if row.flagged_at}
    found = AddressChange.objects.filter(authorization__in=flagged).values_list("authorization", "noted_at", "address")
    return {pk: address for pk, noted_at, address in found if noted_at == flagged[pk]}


def _card(
    row: Any, record: Record, token: AccessToken | None, continuing: RefreshToken | None, moved_to: str, *, now: int
) -> AppCard:
    sees, may = _sentences(row, record)
    return AppCard(
        number=public_reference(row.pk),
        app=display_name(str(row.client)),
        maker=display_name(row.client.maker),
        record=record,
        allowed_on=long_date(to_datetime(row.granted_at).date()),
        sees=sees,
        may=may,
        given_at=day_text(token.issued_at, now=now) if token else "",
        given_to=token.address if token else "",
        used_at=day_text(row.used_at, now=now) if row.used_at else "",
        used_from=row.used_from,
        ends=_end_text(row, token, continuing, now=now),
        away=continuing is not None and refresh.refresh_scope(row.scope) == refresh.OFFLINE,
        flagged_at=_exact_text(to_datetime(row.flagged_at)) if row.flagged_at else "",
        moved_to=moved_to,
        blocked=address_binding.strictest_policy(row.client.address_policy, row.fhir_server.address_policy)
        in address_binding.BLOCKING,
    )


def _sentences(row: Authorization, record: Record) -> tuple[list[str], list[str]]:
    """What it sees, and what else it may: the sentences of the consent page, within a sentence."""
    subject = "" if record.own else record.name
    telling = ConsentContext(record.server, 0, subject, version=row.fhir_server.version)
    told = consent_lines(parse_scopes(row.scope), telling)
    sees = [line.text for line in told if line.group == SEE or (line.group == WHO and line.text != RECOGNISE)]
    may = [line.text for line in told if line.group == CHANGE or line.text == RECOGNISE]
    return [_lower_first(text) for text in sees], [_lower_first(text) for text in may]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _end_text(row: Authorization, token: AccessToken | None, continuing: RefreshToken | None, *, now: int) -> str:
    if not row.fhir_server.holds_records and not row.client.always_asks_consent:
        until = long_date(to_datetime(row.granted_at + now - previous_consent.remembered_since(now=now)).date())
        return f"when you take it back, or if you do not use it before {until}"
    if continuing is None:
        return day_text(token.expires_at, now=now) if token else "in a moment, if the app does not go on"
    if refresh.refresh_scope(row.scope) == refresh.ONLINE:
        return f"when you sign out, at the latest {day_text(row.session_ends_at, now=now)}"
    bound = row.client.refresh_absolute_seconds
    if bound:
        at = continuing.launched_at + bound * SECOND
        return f"{long_date(to_datetime(at).date())}, or when you take it back"
    unused = long_date(to_datetime(continuing.expires_at).date())
    return f"when you take it back, or if the app does not come before {unused}"


def _exact_text(at: datetime) -> str:
    return f"{long_date(at.date())} at {at:%H:%M} UTC"
