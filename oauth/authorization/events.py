"""Events about a waiting request, and about requests that end before anybody decides."""

from collections.abc import Mapping
from dataclasses import replace

from django.http import HttpRequest

from accounts.address import client_address
from audit.event_kinds import EventKind
from audit.trail import Event
from oauth.authorization.pending_request import Pending
from oauth.http.failures import has_known_form
from oauth.http.refusal_events import record_refusal
from oauth.models import Client, public_reference
from smart.explanation import Explanation
from smart.http.urls import LONGEST, public_part
from smart.text import replace_unsafe_characters

_SENT = {"AZ-05": "redirect_uri", "AZ-08": "aud", "SCP-06": "scope"}  # what of a request stands in the trail, by rule


def interaction_event(request: HttpRequest, pending: Pending, kind: EventKind, *, at: int, **more: str) -> Event:
    """What happened to a waiting request, with the references that belong to it."""
    return Event(kind=kind, at=at, address=client_address(request), **{**_event_fields(pending), **more})


def record_refused_request(
    request: HttpRequest, explanation: Explanation, reference: str, parameters: Mapping[str, str], client: Client | None
) -> None:
    """Of a request that nobody waits with: which rule refused, and what was sent where that is no secret (AZ-25)."""
    named = client.client_id if client else parameters.get("client_id", "")
    kept = replace(explanation, presented=_value_sent(explanation, parameters))
    fields = {"client": named if has_known_form(named) else "", "reference": reference}
    record_refusal(request, EventKind.AUTHORIZE_REFUSED, kept, **fields)


def record_refused_step(request: HttpRequest, pending: Pending, explanation: Explanation) -> None:
    """The same of a request that waits: its reference is its number. Nothing of what was sent is kept."""
    kept = replace(explanation, presented="")
    record_refusal(request, EventKind.AUTHORIZE_REFUSED, kept, **_event_fields(pending))


def _value_sent(explanation: Explanation, parameters: Mapping[str, str]) -> str:
    name = "resource" if explanation.case == "E20" else _SENT.get(explanation.rule, "")
    value = parameters.get(name, "")
    return replace_unsafe_characters(value, "?")[:LONGEST] if name == "scope" else public_part(value)


def _event_fields(pending: Pending) -> dict[str, str]:
    row = pending.row
    return {
        "client": row.client.client_id,
        "fhir_server": row.fhir_server.base,
        "person": row.user.subject if row.user else "",
        "reference": public_reference(row.pk),
    }
