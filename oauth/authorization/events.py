"""Events about a waiting request."""

from django.http import HttpRequest

from accounts.address import client_address
from audit.event_kinds import EventKind
from audit.trail import Event
from oauth.authorization.pending_request import Pending
from oauth.models import public_reference


def interaction_event(request: HttpRequest, pending: Pending, kind: EventKind, *, at: int, **more: str) -> Event:
    """What happened to a waiting request, with the references that belong to it."""
    row = pending.row
    return Event(
        kind=kind, at=at, client=row.client.client_id, fhir_server=row.fhir_server.base,
        person=row.user.subject if row.user else "", address=client_address(request),
        **{"reference": public_reference(row.pk), **more},
    )  # fmt: skip
