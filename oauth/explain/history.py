"""What the trail says of a token, and of the end of what it hung on."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db.models import Q

from audit.event_kinds import EventKind, label, result_of
from audit.models import Event
from audit.reading import newest_events
from oauth.models import AccessToken, public_reference
from smart.time_units import to_datetime

LONGEST = 50
OF_AUTHORIZATIONS = (EventKind.AUTHORIZATION_ENDED, EventKind.ACCESS_TAKEN_BACK)
_TONES = {"done": "", "refused": "warn", "odd": "bad"}


def token_events(token: AccessToken) -> list[Event]:
    """The newest events of the token; and of its authorization, client and FHIR server those that ended it, if they
    did. Each names a column that has an index."""
    row = token.authorization
    meanwhile = Q(at__gte=token.issued_at, at__lte=token.expires_at, token="")
    of_client = Q(client=row.client.client_id, kind__in=[EventKind.CLIENT_ENDED, EventKind.CLIENT_DISABLED])
    return newest_events(
        Q(token=public_reference(token.pk)),
        Q(authorization=public_reference(row.pk), kind__in=OF_AUTHORIZATIONS) & meanwhile,
        of_client & meanwhile,
        Q(kind=EventKind.FHIR_SERVER_ENDED, fhir_server=row.fhir_server.base) & meanwhile,
        at_most=LONGEST,
    )


def history_lines(events: Iterable[Event]) -> list[dict[str, Any]]:
    """A line for each, as pages show them; a run of equal events is one line with their number."""
    return [_line(list(run)) for _, run in groupby(events, key=lambda event: (event.kind, event.address, event.reason))]


def _line(run: list[Event]) -> dict[str, Any]:
    first, last = run[0], run[-1]
    return {
        "at": to_datetime(first.at),
        "until": to_datetime(last.at),
        "count": len(run),
        "what": label(first.kind),
        "reason": first.reason,
        "address": first.address,
        "tone": "good" if first.kind == EventKind.ISSUED else _TONES[result_of(first.kind)],
    }
