"""Sessions of people end, with what was granted for as long as they last (SCP-17)."""

from collections.abc import Iterable

from django.db import transaction
from django.http import HttpRequest

from accounts import clock
from accounts.address import client_address
from accounts.models import SignIn, SignInQuerySet, User
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending import access
from oauth.ending.online_access import MARK
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.models.locking import lock_in_pk_order
from smart.digests import sha256_hex


def end_sessions(sign_ins: SignInQuerySet, user: User, actor: Actor) -> int:
    """Signs this person out there. How many sessions ended."""
    rows = list(sign_ins.select_related("session"))
    marks = [mark for row in rows if (mark := row.session.get_decoded().get(MARK))]
    with transaction.atomic():
        end_online_access(marks, actor)
        standing = SignIn.objects.filter(pk__in=[row.pk for row in rows])
        lock_in_pk_order(standing.only("pk"))
        ended = standing.end()
        if ended:
            record_events(actor.event(EventKind.SIGNED_OUT, person=user.subject, reason=f"{ended} sessions"))
    return ended


def end_every_session(user: User, actor: Actor, *, keep: str = "") -> int:
    """Signs this person out everywhere, but for the session whose row has that key. How many sessions ended."""
    return end_sessions(SignIn.objects.filter(user=user).exclude(session_id=keep), user, actor)


def end_online_access_of(request: HttpRequest) -> None:
    """The session of this browser is about to end (E92)."""
    if MARK in request.session:
        end_online_access([request.session[MARK]], Actor(now=clock.now(), address=client_address(request)))


def end_online_access(marks: Iterable[str], actor: Actor) -> None:
    """The sessions with these marks are about to end."""
    digests = [sha256_hex(mark) for mark in marks]
    if digests:
        access.end(Selection.of_sessions(digests), actor, EndedFor.SIGNED_OUT)
