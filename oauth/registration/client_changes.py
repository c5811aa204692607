"""What an operator changes about a client that is there, with its event, at the admin and at the command line alike."""

from collections.abc import Iterable

from django.db import transaction

from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.clients import secrets
from oauth.ending.selection import Actor
from oauth.models import Client


@transaction.atomic
def rotate_secret(client: Client, number: str, actor: Actor) -> str:
    """The new secret, "" if that number of a rotation was used before (RG-08)."""
    secret = secrets.rotate(client, number, now=actor.now)
    if secret:
        record_events(actor.event(EventKind.SECRET_ROTATED, client=client.client_id))
    return secret


@transaction.atomic
def enable(clients: Iterable[Client], actor: Actor) -> list[Client]:
    """Those of them that were disabled may ask again; what ended stays ended."""
    disabled = list(Client.objects.filter(pk__in=[client.pk for client in clients], enabled=0))
    Client.objects.filter(pk__in=[client.pk for client in disabled]).enable()
    if disabled:
        record_events(*(actor.event(EventKind.CLIENT_ENABLED, client=client.client_id) for client in disabled))
    return disabled
