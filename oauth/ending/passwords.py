"""A new password, and everything that ends with the old one (RF-08)."""

from django.db import transaction

from accounts import clock
from accounts.models import SignIn, User
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.models import Authorization
from oauth.sign_in import sessions


def set_password(user: User, password: str, address: str = "", *, keep: str = "", operator: str = "") -> int:
    """The new password counts, and every app must ask again: RFC 9700 §4.14.2 counts a changed password among the
    events after which refresh tokens end, and whoever knew the old one may have let in an app of his own.
    All sessions end but the one whose row has that key. How many other sessions it were."""
    now = clock.now()
    user.set_password(password)
    user.must_change_password = 0
    with transaction.atomic():
        user.save(update_fields=["password", "must_change_password"])
        Authorization.objects.filter(user=user).end(EventKind.PASSWORD_CHANGED, now=now)
        User.objects.get_queryset().filter(pk=user.pk).end_access()
        ended = sessions.end(
            SignIn.objects.filter(user=user).exclude(session_id=keep), user, address, operator=operator
        )
        record(Event(kind=EventKind.PASSWORD_CHANGED, at=now, person=user.subject, address=address, operator=operator))
    user.refresh_from_db(fields=["epoch"])
    return ended


def require_new_password(user: User, address: str = "", *, operator: str = "") -> int:
    """This person signs in again and chooses a new password before anything else. How many sessions ended."""
    now = clock.now()
    with transaction.atomic():
        User.objects.get_queryset().filter(pk=user.pk).require_new_password()
        ended = sessions.end(SignIn.objects.filter(user=user), user, address, operator=operator)
        record(Event(kind=EventKind.PASSWORD_REQUIRED, at=now, person=user.subject, address=address, operator=operator))
    return ended
