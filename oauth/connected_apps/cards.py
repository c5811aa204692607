"""The cards of /apps: who has access to what, until when, and what has ended.

When access was last used is known from FHIR servers that ask us, within a minute; from where, from those that tell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.models import User
from oauth.connected_apps import listed_access
from oauth.connected_apps.records import Record, Records
from oauth.connected_apps.wording import MAX_LISTED, day_text, end_text, enumeration, exact_text, sentences
from oauth.ending.reasons import reason
from oauth.models import AccessToken, AddressChange, Authorization, RefreshToken, liveness, public_reference
from oauth.people.wording import display_name, initials, long_date
from smart.time_units import to_datetime
from smart.tokens import address_binding, lifetimes, refresh

MAX_CARDS = 100


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


def _other_addresses(rows: Iterable[Authorization]) -> dict[int, str]:
    """The other address for which an authorization was flagged, where that is why."""
    flagged = {row.pk: row.flagged_at for row in rows if row.flagged_at}
    found = AddressChange.objects.filter(authorization__in=flagged).values_list("authorization", "noted_at", "address")
    return {pk: address for pk, noted_at, address in found if noted_at == flagged[pk]}


def _card(
    row: Any, record: Record, token: AccessToken | None, continuing: RefreshToken | None, moved_to: str, *, now: int
) -> AppCard:
    sees, may = sentences(row, record)
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
        ends=end_text(row, token, continuing, now=now),
        away=continuing is not None and refresh.refresh_scope(row.scope) == refresh.OFFLINE,
        flagged_at=exact_text(to_datetime(row.flagged_at)) if row.flagged_at else "",
        moved_to=moved_to,
        blocked=address_binding.strictest_policy(row.client.address_policy, row.fhir_server.address_policy)
        in address_binding.BLOCKING,
    )
