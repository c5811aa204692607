"""What is refused again and again: counted for a while, and ended when it is too much (SD-05)."""

from dataclasses import replace

from django.conf import settings
from django.db import transaction

from accounts import windows
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending import access
from oauth.ending.people import require_sign_in_and_end
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.models import AccessToken, Authorization, liveness, public_reference, sql
from smart.time_units import SECOND

MOST_EVENTS = 100  # of one combination within one window: a flood shall not fill the trail
UNAUTHORIZED = 401

_COUNT = windows.count_statement("oauth_refusalcount", "count", "client_id", "user_id", "fhir_server_id")
_BEGIN_ANEW = "UPDATE oauth_refusalcount SET count = 0 WHERE key = %s"


Combination = tuple[int, int | None, int]  # client, person, FHIR server: with one of them the count goes too


def add_to_count(key: str, whose: Combination, number: int, *, now: int, seconds: int) -> int:
    """How many there were within this window, with these. One statement; parallel ones add up."""
    return int(sql.value(_COUNT, windows.values(key, whose, number, now=now, ends_at=now + seconds * SECOND)))


def record_refusals(token: AccessToken, status: int, number: int, actor: Actor) -> None:
    """A resource server refused so many requests with this token; when it is too much, the combination ends.

    A token that was dead when it was shown says nothing about who holds a live one: that is recorded, never counted.
    """
    row, limit = token.authorization, settings.SMARTAUTH_REFUSALS_LIMIT
    counts = status != UNAUTHORIZED and not liveness.unusable_reason(row)
    key = f"{'refused' if counts else 'dead'}|{row.client_id}|{row.user_id}|{row.fhir_server_id}"
    with transaction.atomic():
        seconds = settings.SMARTAUTH_REFUSALS_WINDOW_SECONDS
        whose = (row.client_id, row.user_id, row.fhir_server_id)
        count = add_to_count(key, whose, number, now=actor.now, seconds=seconds)
        if count - number < MOST_EVENTS:
            _record(token, f"answered {status}" + (f", {number} times" if number > 1 else ""), actor)
        if counts and 0 < limit <= count:
            _end_combination(key, row, count, actor)


def _end_combination(key: str, row: Authorization, count: int, actor: Actor) -> None:
    """Everything of that person and client at that FHIR server ends, once; what is allowed later starts from zero."""
    sql.execute(_BEGIN_ANEW, [key])
    if not liveness.usable(Authorization.objects.filter(pk=row.pk)).exists():
        return  # it ended while this report waited for the one that was too many
    record_events(actor.event(EventKind.REFUSALS_REACHED, **row.event_fields(), reason=f"{count} refused"))
    whose = Selection.matching(client=row.client_id, user=row.user_id, fhir_server=row.fhir_server_id)
    if row.user is None:
        access.end(replace(whose, requests=None), actor, EndedFor.REFUSALS)
    else:
        people = [row.user] if settings.SMARTAUTH_REFUSALS_LOCK == "login" else []
        require_sign_in_and_end(people, whose, actor, EndedFor.REFUSALS)


def _record(token: AccessToken, reason: str, actor: Actor) -> None:
    about = {**token.authorization.event_fields(), "token": public_reference(token.pk)}
    record_events(actor.event(EventKind.REQUEST_REFUSED, **about, reason=reason))
