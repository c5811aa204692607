"""The words on the cards of /apps: what an app sees and may, when something was, and when its access ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from oauth.authorization import previous_consent
from oauth.connected_apps.records import Record
from oauth.models import AccessToken, Authorization, RefreshToken
from oauth.people.wording import long_date
from smart.scopes.scope_sets import parse_scopes
from smart.time_units import SECOND, to_datetime
from smart.tokens import refresh
from smart.wording.consent_line import CHANGE, SEE, WHO, ConsentContext
from smart.wording.consent_lines import consent_lines
from smart.wording.words import RECOGNISE

MAX_LISTED = 5


def enumeration(texts: Sequence[str]) -> str:
    """The first of them in one sentence, and how many more."""
    more = f" and {len(texts) - MAX_LISTED} more" if len(texts) > MAX_LISTED else ""
    return "; ".join(texts[:MAX_LISTED]) + more


def day_text(at: int, *, now: int) -> str:
    """ "today, 14:02 UTC", "yesterday, 22:40 UTC", "3 October 2026"."""
    when, today = to_datetime(at), to_datetime(now).date()
    word = {today: "today", today - timedelta(days=1): "yesterday"}.get(when.date())
    return f"{word}, {when:%H:%M} UTC" if word else long_date(when.date())


def sentences(row: Authorization, record: Record) -> tuple[list[str], list[str]]:
    """What it sees, and what else it may: the sentences of the consent page, within a sentence."""
    subject = "" if record.own else record.name
    telling = ConsentContext(record.server, 0, subject, version=row.fhir_server.version)
    told = consent_lines(parse_scopes(row.scope), telling)
    sees = [line.text for line in told if line.group == SEE or (line.group == WHO and line.text != RECOGNISE)]
    may = [line.text for line in told if line.group == CHANGE or line.text == RECOGNISE]
    return [_lower_first(text) for text in sees], [_lower_first(text) for text in may]


def end_text(row: Authorization, token: AccessToken | None, continuing: RefreshToken | None, *, now: int) -> str:
    """When this access ends by itself."""
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


def exact_text(at: datetime) -> str:
    """ "3 October 2026 at 22:40 UTC"."""
    return f"{long_date(at.date())} at {at:%H:%M} UTC"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
