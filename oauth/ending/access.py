"""The one way in which access ends out of turn, for every caller and any amount (SD-05, RV-08).

Locks have one order here, so that two endings never wait for each other in a circle: person, client or FHIR server,
requests that wait, authorizations, sessions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending import marks
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Ended, Selection
from oauth.models import (
    AccessToken,
    Authorization,
    Client,
    FhirServer,
    PendingRequest,
    UnmarkedEnding,
    liveness,
    public_reference,
)
from oauth.models.locking import lock_in_pk_order

# what the end of a client or FHIR server has ended is marked with that
UNDER_LIVE_EPOCHS = {"client_epoch": F("client__epoch"), "fhir_server_epoch": F("fhir_server__epoch")}
OF_EVERYTHING = {
    EndedFor.PERSON_ENDED: EventKind.PERSON_ENDED,
    EndedFor.PERSON_SUSPENDED: EventKind.PERSON_SUSPENDED,
    EndedFor.PASSWORD_CHANGED: EventKind.PASSWORD_CHANGED,
    EndedFor.CLIENT_ENDED: EventKind.CLIENT_ENDED,
    EndedFor.CLIENT_DISABLED: EventKind.CLIENT_DISABLED,
    EndedFor.FHIR_SERVER_ENDED: EventKind.FHIR_SERVER_ENDED,
}


def end(selection: Selection, actor: Actor, reason: EndedFor) -> Ended:
    """Nothing that was granted there before lives when this is committed: no token, code or consent under way."""
    whole = selection.everything_of
    if isinstance(whole, Client | FhirServer):
        return end_all([whole], actor, reason)
    with transaction.atomic():
        usable = _lock_and_close(selection, actor)
        return _end_each(usable, actor, reason) if whole is None else _end_person(whole, usable, actor, reason)


def end_all(wholes: Iterable[Client | FhirServer], actor: Actor, reason: EndedFor) -> Ended:
    """All access of each of these is dead before the first row of any of them is marked, which takes its time."""
    ended = sum((end_epoch(whole, actor, reason) for whole in wholes), Ended())
    marks.mark_all()
    return ended


def end_epoch(whole: Client | FhirServer, actor: Actor, reason: EndedFor) -> Ended:
    """All access of that epoch is dead when this returns. What ended says so in its row later: see oauth.ending.marks.

    Never inside of another transaction, which would put off the end until its own.
    """
    with transaction.atomic(durable=True):
        usable = _lock_and_close(Selection.everything(whole), actor)
        tokens = liveness.live(AccessToken.objects.filter(authorization__in=usable.values("pk")), now=actor.now)
        ended = Ended(usable.count(), tokens.count())
        named = {"client": whole.client_id} if isinstance(whole, Client) else {"fhir_server": whole.base}
        _advance_epoch(whole, actor, reason)
        record_events(actor.event(OF_EVERYTHING[reason], **named, reason=str(ended)))
    return ended


def _lock_and_close(selection: Selection, actor: Actor) -> QuerySet[Any]:
    """The authorizations that may end. Whose they all are is locked, and requests that wait get no answer."""
    if selection.everything_of is not None:
        lock_in_pk_order(_row(selection.everything_of).only("pk"))
    if selection.requests is not None:
        close_requests(selection.requests, now=actor.now)
    return liveness.usable(Authorization.objects.filter(selection.authorizations))


def end_authorization(pk: int, actor: Actor, reason: EndedFor) -> Ended:
    """One authorization, for the machines' side."""
    rows = liveness.usable(Authorization.objects.filter(pk=pk))
    return end(Selection.of_authorizations(rows), actor, reason) if rows else Ended()


def lock_in_advance(people: Sequence[User], selection: Selection, *, now: int) -> None:
    """What one transaction ends in several steps, each kind at once, so that the order of all locks is kept."""
    lock_in_pk_order(User.objects.get_queryset().filter(pk__in=[person.pk for person in people]).only("pk"))
    of_people = Q(user__in=people)
    _lock_waiting(of_people if selection.requests is None else of_people | selection.requests, now=now)
    lock_in_pk_order(Authorization.objects.filter(of_people | selection.authorizations, ended_at=0).only("pk"))


def close_requests(which: Q, *, now: int) -> None:
    """Requests that wait there for their person get no answer any more.

    It comes first: a consent that is given at this moment is waited for, or finds its request closed.
    """
    for some in _batches(_lock_waiting(which, now=now)):
        PendingRequest.objects.filter(pk__in=[row.pk for row in some]).update(answered_at=now)


def _lock_waiting(which: Q, *, now: int) -> Sequence[PendingRequest]:
    return lock_in_pk_order(PendingRequest.objects.filter(which, answered_at=0, expires_at__gt=now).only("pk"))


def _end_person(person: User, usable: QuerySet[Any], actor: Actor, reason: EndedFor) -> Ended:
    """Everything that may live, each with its events, and one event for all; at /apps each event says so instead."""
    by_person = reason == EndedFor.PERSON
    rest = Authorization.objects.filter(user=person, ended_at=0, **UNDER_LIVE_EPOCHS)
    lock_in_pk_order(rest.only("pk"))  # all of them at once, in the order that every ending keeps
    count = usable.count()
    each = _end_each(usable.filter(liveness.may_live(now=actor.now)), actor, reason, "everything" if by_person else "")
    rest.end(reason, now=actor.now)
    people = User.objects.get_queryset().filter(pk=person.pk)
    people.suspend("operator") if reason == EndedFor.PERSON_SUSPENDED else people.advance_epoch()
    ended = replace(each, authorizations=count)
    if not by_person:
        record_events(actor.event(OF_EVERYTHING[reason], person=person.subject, reason=str(ended)))
    return ended


def _end_each(usable: QuerySet[Any], actor: Actor, reason: EndedFor, event_reason: str = "") -> Ended:
    """Each of them, with an event for each token that lived."""
    rows, tokens = lock_in_pk_order(usable.select_related("client", "user", "fhir_server")), 0
    kind = EventKind.ACCESS_TAKEN_BACK if reason == EndedFor.PERSON else EventKind.AUTHORIZATION_ENDED
    for some in _batches(rows):
        live = _live_tokens([row.pk for row in some], now=actor.now)
        Authorization.objects.filter(pk__in=[row.pk for row in some]).end(reason, now=actor.now)
        record_events(
            *[
                actor.event(kind, **row.event_fields(), token=token, reason=event_reason or reason)
                for row in some
                for token in live.get(row.pk, [""])
            ]
        )
        tokens += sum(len(each) for each in live.values())
    return Ended(len(rows), tokens)


def _row(whole: User | Client | FhirServer) -> QuerySet[Any]:
    if isinstance(whole, User):
        return User.objects.get_queryset().filter(pk=whole.pk)
    return Client.objects.filter(pk=whole.pk) if isinstance(whole, Client) else FhirServer.every.filter(pk=whole.pk)


def _advance_epoch(whole: Client | FhirServer, actor: Actor, reason: EndedFor) -> None:
    """What is granted under an epoch that is read before this is committed is dead from its beginning."""
    name, row = "client" if isinstance(whole, Client) else "fhir_server", _row(whole)
    epoch = row.values_list("epoch", flat=True).get()
    UnmarkedEnding.objects.create(**{name: whole}, epoch=epoch, ended_at=actor.now, reason=reason)
    row.update(epoch=epoch + 1, **({"enabled": 0} if reason == EndedFor.CLIENT_DISABLED else {}))


def _live_tokens(authorizations: Sequence[int], *, now: int) -> dict[int, list[str]]:
    """The references of live access tokens, by their authorization."""
    live = liveness.live(AccessToken.objects.filter(authorization__in=authorizations), now=now)
    found: dict[int, list[str]] = {}
    for authorization, token in live.order_by("pk").values_list("authorization", "pk"):
        found.setdefault(authorization, []).append(public_reference(token))
    return found


def _batches(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[first : first + marks.AT_ONCE] for first in range(0, len(rows), marks.AT_ONCE))
