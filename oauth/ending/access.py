"""Ending access out of turn: of a person, a client, a patient or one authorization (SD-05, RV-08).

Locks have one order here, so that two endings never wait for each other in a circle: person or client, requests that
wait, authorizations, sessions.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import SignIn, User
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.models import AccessToken, Authorization, Client, PendingRequest, liveness
from oauth.models.locking import lock_in_pk_order
from oauth.sign_in import sessions

Selection = dict[str, Any]  # what holds for Authorization and PendingRequest alike
AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who ends, as events name him: an operator by his `sub`, or a resource server."""

    now: int
    address: str
    operator: str = ""
    client_id: str = ""

    def event(self, kind: EventKind, **about: str) -> Event:
        named = {"address": self.address, "operator": self.operator, "reference": self.client_id}
        return Event(kind=kind, at=self.now, **named, **about)


@dataclass(frozen=True, slots=True)
class Ended:
    """How much lived until now."""

    authorizations: int = 0
    access_tokens: int = 0


def end(where: Selection, ender: Actor, *, reason: str, only: int | None = None) -> Ended:
    """Nothing that was granted there before lives when this is committed: no token, code or consent under way."""
    with transaction.atomic():
        # first: whoever allows something at this moment is waited for, or finds his request closed
        _close(where, now=ender.now)
        found = _standing(where)
        found = found if only is None else found.filter(pk=only)
        tokens = _live_tokens(found, now=ender.now)
        rows = lock_in_pk_order(found.select_related("client", "user", "fhir_server"))
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            Authorization.objects.filter(pk__in=[row.pk for row in some]).end(reason, now=ender.now)
            record(*(ender.event(EventKind.AUTHORIZATION_ENDED, **row.event_fields(), reason=reason) for row in some))
        return Ended(len(rows), tokens)


def end_person(user: User, ender: Actor) -> Ended:
    """All access of a person, by one increment."""
    return _everything(
        {"user": user}, ender.event(EventKind.PERSON_ENDED, person=user.subject), User.objects.get_queryset()
    )


def end_client(client: Client, ender: Actor) -> Ended:
    """All access of a client, by one increment."""
    return _everything(
        {"client": client}, ender.event(EventKind.CLIENT_ENDED, client=client.client_id), Client.objects.all()
    )


def require_sign_in(user: User, ender: Actor) -> None:
    """Only a later login may allow anything for this person; nobody is signed in as him."""
    with transaction.atomic():
        User.objects.get_queryset().filter(pk=user.pk).require_sign_in(now=ender.now)
        record(ender.event(EventKind.PERSON_LOCKED, person=user.subject))
        _out(user, ender)


def stop(user: User, ender: Actor) -> Ended:
    """This person is locked out until an operator lets him in; all his access ends."""
    with transaction.atomic():
        lived = _lived({"user": user}, now=ender.now)
        User.objects.get_queryset().filter(pk=user.pk).stop("invalidated")
        record(ender.event(EventKind.PERSON_STOPPED, person=user.subject, reason="invalidated"))
        _out(user, ender)
        return lived


def _everything(whose: Selection, event: Event, rows: Any) -> Ended:
    (row,) = whose.values()
    with transaction.atomic():
        lived = _lived(whose, now=event.at)
        rows.filter(pk=row.pk).end_access()
        _close(whose, now=event.at)
        record(event)
        return lived


def _out(user: User, ender: Actor) -> None:
    _close({"user": user}, now=ender.now)
    sessions.end(SignIn.objects.filter(user=user), user, ender.address, operator=ender.operator)


def _close(where: Selection, *, now: int) -> None:
    """Requests that wait there for their person get no answer any more."""
    waiting = lock_in_pk_order(PendingRequest.objects.filter(**where, answered_at=0, expires_at__gt=now).only("pk"))
    for first in range(0, len(waiting), AT_ONCE):
        some = [row.pk for row in waiting[first : first + AT_ONCE]]
        PendingRequest.objects.filter(pk__in=some).update(answered_at=now)


def _lived(where: Selection, *, now: int) -> Ended:
    found = _standing(where)
    return Ended(found.count(), _live_tokens(found, now=now))


def _standing(where: Selection) -> QuerySet[Any]:
    found: QuerySet[Any] = liveness.usable(Authorization.objects.filter(**where))
    return found


def _live_tokens(found: QuerySet[Any], *, now: int) -> int:
    return liveness.live(AccessToken.objects.filter(authorization__in=found.values("pk")), now=now).count()
