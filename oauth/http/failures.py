"""Failed authentication: written down, and answered by 429 once there is too much of it (CL-15, E58, TK-10)."""

from accounts import rate_limit
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.http.credentials import LONGEST_CLIENT_ID
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import Client
from smart.http.errors import OAuthError, TooManyRequests
from smart.text import is_printable_ascii


async def count_failure_in_pool(error: OAuthError, request: MachineRequest) -> OAuthError:
    """The refusal, or 429 once there were too many, counted in a thread that writes."""
    return await writer_pool.run(lambda: count_failure(error, request))


def count_failure(error: OAuthError, request: MachineRequest) -> OAuthError:
    """The refusal, or 429 once this client, or one that nobody knows, failed too often from this address (E58, TK-10).

    A failure is recorded (CL-15) until then; a success is not, `issued` and the like tell of it.
    """
    counted = rate_limit.count("client", _known_client_id(request), request.address, now=request.now)
    wait = rate_limit.failure_wait(counted, now=request.now)
    if counted.is_worth_an_event and (counted.so_far or not wait):
        record_events(_failure_event(request, counted.with_number(error.event_reason or error.description)))
    if not wait:
        return error
    later = f"the next one after {wait} seconds"
    return TooManyRequests("too many failures, wait", retry_after=wait, rule="TK-10", case="E58", expected=later)


def _known_client_id(request: MachineRequest) -> str:
    """All clients that nobody knows count as one: invented ones must not fill the database."""
    named = request.credentials.client_id
    return named if has_known_form(named) and Client.objects.filter(client_id=named).exists() else ""


def has_known_form(client_id: str) -> bool:
    """Whether it could be the id of a client at all, so that an event may hold it (RFC 6749 appendix A.1)."""
    return 0 < len(client_id) <= LONGEST_CLIENT_ID and is_printable_ascii(client_id)


def _failure_event(request: MachineRequest, reason: str) -> Event:
    named = request.credentials.client_id
    return Event(
        kind=EventKind.CLIENT_AUTHENTICATION_FAILED,
        at=request.now,
        client=named if has_known_form(named) else "",
        address=request.address,
        reason=reason,
    )
