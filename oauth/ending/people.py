"""A person may not go on as before: they are suspended until an operator lifts that, or must sign in again."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Ended, Selection
from oauth.ending.sessions import end_every_session


def suspend(user: User, actor: Actor) -> Ended:
    """This person cannot sign in until an operator lifts the suspension; all their access and sessions end."""
    with transaction.atomic():
        ended = access.end(Selection.everything(user), actor, EndedFor.PERSON_SUSPENDED)
        end_every_session(user, actor)
    return ended


def suspend_all(people: Sequence[User], actor: Actor) -> Ended:
    """All of these people cannot sign in, or none of them."""
    with transaction.atomic():
        access.lock_in_advance(people, Selection.matching(user__in=people), now=actor.now)
        return sum((suspend(user, actor) for user in people), Ended())


def require_sign_in_and_end(people: Sequence[User], selection: Selection, actor: Actor, reason: EndedFor) -> Ended:
    """Only a later login may allow anything for these people, whose sessions end; and what is selected ends."""
    with transaction.atomic():
        access.lock_in_advance(people, selection, now=actor.now)
        for user in people:
            _require_sign_in(user, actor)
        return access.end(selection, actor, reason)


def _require_sign_in(user: User, actor: Actor) -> None:
    User.objects.get_queryset().filter(pk=user.pk).require_sign_in(now=actor.now)
    record_events(actor.event(EventKind.PERSON_MUST_SIGN_IN, person=user.subject))
    access.close_requests(Q(user=user), now=actor.now)
    end_every_session(user, actor)
