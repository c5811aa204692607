"""One look at a token, for all who ask about one: who asks, may they, does it live, is it used from its place."""

from collections.abc import Callable, Mapping
from functools import partial

from django.conf import settings

from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from introspection import address_binding, refusals, tampering
from introspection.address_binding import Use
from introspection.authentication import authenticate_and_look_up
from introspection.last_use import note_last_use
from introspection.token_lookup import dead_reason
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import public_reference
from smart.explanation import Explanation
from smart.tokens.address_binding import BLOCKING


class Inactive(Exception):
    """A token about which nothing is told (RFC 7662 §2.2). Why is worked out in development alone."""

    def __init__(self, work_out: Callable[[], Explanation]) -> None:
        self._work_out = work_out

    async def explanation(self) -> Explanation | None:
        """Why nothing is told, None outside development."""
        return await writer_pool.run(self._work_out) if settings.SMARTAUTH_DEV else None


async def find_live_use(
    request: MachineRequest, digest: str, token: str, said: Mapping[str, str] | None = None
) -> tuple[Use, str]:
    """The use of the token with this digest, and the address policy that it meets. Raises Inactive.

    With the token itself a changed one is noticed; it is "" where only its digest came. `said` is what the caller says
    of its own request.
    """
    found, may_ask = await authenticate_and_look_up(request, digest)
    request.token_claims = found.claims or ""
    if found.token is None:
        unknown = await tampering.end_if_tampered(token, request)
        raise Inactive(partial(refusals.unknown, digest, unknown))
    if not may_ask:
        await writer_pool.run(partial(record_events, _refusal_event(request, found.token)))
        raise Inactive(partial(refusals.not_its_token, found, request.credentials.client_id))
    if dead_reason(found, request.now):
        raise Inactive(partial(refusals.dead, found, request.now))
    use = Use.of(found, request.parameters if said is None else said)
    policy = await address_binding.apply_binding(use, request)
    if policy in BLOCKING:
        raise Inactive(partial(refusals.another_address, use))
    note_last_use(use, request.now)
    return use, policy


def _refusal_event(request: MachineRequest, token: int) -> Event:
    return Event(
        kind=EventKind.INTROSPECTION_REFUSED,
        at=request.now,
        client=request.credentials.client_id,
        token=public_reference(token),
        address=request.address,
        reason="the caller is no resource server of that FHIR server",
    )
