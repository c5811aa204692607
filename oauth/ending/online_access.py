"""online_access lasts as long as the browser's session (SCP-17): what an authorization remembers of that."""

from typing import Any

from django.contrib.sessions.models import Session
from django.http import HttpRequest

from accounts import clock
from accounts.session_store import row_key
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
    return {"session_digest": session_digest(request), "session_ends_at": ends_at}


def session_digest(request: HttpRequest) -> str:
    """How an authorization names the session of this browser."""
    return sha256_hex(request.session.get(MARK, ""))
