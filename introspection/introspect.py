"""RFC 7662: is this token alive, and what does it allow? One statement, one decision, one answer, nothing cached."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from django.conf import settings

from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from introspection import address_binding, refusals, tampering
from introspection.authentication import authenticate_and_look_up
from introspection.last_use import last_uses
from introspection.token_lookup import dead_reason
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.writer_pool import writer_pool
from oauth.models import public_reference
from smart.digests import sha256_hex
from smart.explanation import Explanation
from smart.tokens.address_binding import BLOCKING

INACTIVE = MachineResponse(200, b'{"active":false}')


async def introspect(request: MachineRequest) -> MachineResponse:
    """The claims of a live token, or {"active":false}: also for a token that the caller may not ask about (IN-06)."""
    token = request.required("token", rule="IN-01", case="E106")
    found, may_ask = await authenticate_and_look_up(request, sha256_hex(token))
    request.token_claims = found.claims or ""
    if found.token is None:
        unknown = await tampering.end_if_tampered(token, request)
        return await _inactive(lambda: unknown)
    if not may_ask:
        await writer_pool.run(partial(record_events, _refusal_event(request, found.token)))
        return await _inactive(partial(refusals.not_its_token, found, request.credentials.client_id))
    if dead_reason(found, request.now):
        return await _inactive(partial(refusals.dead, found, request.now))
    use = address_binding.Use.of(found, request.parameters)
    policy = await address_binding.apply_binding(use, request)
    if policy in BLOCKING:
        return await _inactive(partial(refusals.another_address, use))
    last_uses().note(use, request.now)
    return MachineResponse(200, use.introspection_response(policy).encode())


async def _inactive(explanation: Callable[[], Explanation]) -> MachineResponse:
    """The one answer; why is worked out in development alone."""
    if not settings.SMARTAUTH_DEV:
        return INACTIVE
    return replace(INACTIVE, explanation=await writer_pool.run(explanation))


def _refusal_event(request: MachineRequest, token: int) -> Event:
    return Event(
        kind=EventKind.INTROSPECTION_REFUSED,
        at=request.now,
        client=request.credentials.client_id,
        token=public_reference(token),
        address=request.address,
        reason="the caller is no resource server of that FHIR server",
    )
