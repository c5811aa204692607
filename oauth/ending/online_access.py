"""online_access lasts as long as the browser's session (SCP-17): what an authorization remembers of it, and its end."""

from collections.abc import Iterable
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from accounts import clock
from accounts.address import client_address
from accounts.session_store import row_key
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.models import Authorization
from smart.digests import random_token, sha256_hex

MARK = "online"  # drawn once a session: its key changes at every login, this does not


def mark_session(request: HttpRequest) -> None:
    """Marks a session that has just begun, or leaves the mark that it has."""
    request.session.setdefault(MARK, random_token())


def session_fields(request: HttpRequest) -> dict[str, Any]:
    """What an authorization that ends with this session keeps of it."""
    mark_session(request)
    row = Session.objects.filter(session_key=row_key(request.session.session_key)).first()
    ends_at = int(row.expire_date.timestamp() * 1_000_000) if row else clock.now()
    return {"session_digest": sha256_hex(request.session[MARK]), "session_ends_at": ends_at}


def end(request: HttpRequest) -> None:
    """The session is about to end: so does every access that was granted for as long as it lasts (E92)."""
    if MARK in request.session:
        end_all([request.session[MARK]], client_address(request), now=clock.now())


def end_all(marks: Iterable[str], address: str, *, now: int) -> None:
    """The sessions with these marks are about to end."""
    with transaction.atomic():
        found = Authorization.objects.of_sessions(sha256_hex(mark) for mark in marks).filter(ended_at=0)
        ended = list(found.select_related("client", "fhir_server", "user"))
        found.end(EventKind.SIGNED_OUT, now=now)
        if ended:
            record(*(_event(authorization, now, address) for authorization in ended))


def _event(authorization: Authorization, now: int, address: str) -> Event:
    named = authorization.event_fields()
    return Event(kind=EventKind.AUTHORIZATION_ENDED, at=now, address=address, reason=EventKind.SIGNED_OUT, **named)
