"""A new password, and everything that ends with the old one (RF-08)."""

from django.db import transaction

from accounts.models import User
from accounts.password_hasher import hashing_for
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.ending.sessions import end_every_session


def set_password(user: User, password: str | None, actor: Actor) -> int:
    """Hashes and stores it, outside of any transaction. How many sessions ended. None is no password."""
    hash_password(user, password, actor)
    return store_password(user, actor)


def hash_password(user: User, password: str | None, actor: Actor) -> None:
    """Only in memory, and before a transaction: others wait for its locks, and a hash for its turn."""
    with hashing_for(actor.address):
        user.set_password(password)


def store_password(user: User, actor: Actor, *, keep_session: str = "", keep_request: int | None = None) -> int:
    """The new password counts, and every app must ask again: RFC 9700 §4.14.2 counts a changed password among the
    events after which refresh tokens end, and an intruder who knew the old one may have let in an app of their own.
    The request in which it is changed may go on waiting. How many other sessions ended."""
    user.must_change_password = 0
    everything = Selection.everything(user)
    with transaction.atomic():
        user.save(update_fields=["password", "must_change_password"])
        kept = everything.without_request(keep_request) if keep_request else everything
        access.end(kept, actor, EndedFor.PASSWORD_CHANGED)
        ended = end_every_session(user, actor, keep=keep_session)
    user.refresh_from_db(fields=["epoch"])
    return ended


def require_new_password(user: User, actor: Actor) -> int:
    """This person signs in again and chooses a new password before anything else. How many sessions ended."""
    with transaction.atomic():
        User.objects.get_queryset().filter(pk=user.pk).require_new_password()
        ended = end_every_session(user, actor)
        record_events(actor.event(EventKind.PASSWORD_REQUIRED, person=user.subject))
    return ended
