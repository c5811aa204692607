"""A person may not go on as before: an operator lets them in again, or they sign in again."""

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import record
from oauth.ending import access
from oauth.ending.access import Actor, Ended, Selection
from oauth.ending.reasons import EndedFor
from oauth.ending.sessions import end_every_session


def suspend(user: User, actor: Actor) -> Ended:
    """This person cannot sign in until an operator lets them in; all their access and all their sessions end."""
    with transaction.atomic():
        ended = access.end(Selection.everything(user), actor, EndedFor.PERSON_STOPPED)
        end_every_session(user, actor)
    return ended


def require_sign_in(user: User, actor: Actor) -> None:
    """Only a later login may allow anything for this person, whose sessions end."""
    with transaction.atomic():
        User.objects.get_queryset().filter(pk=user.pk).require_sign_in(now=actor.now)
        record(actor.event(EventKind.PERSON_MUST_SIGN_IN, person=user.subject))
        access.close_requests(Q(user=user), now=actor.now)
        end_every_session(user, actor)
