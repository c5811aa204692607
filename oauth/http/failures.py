"""Failed authentication: written down, and answered by 429 once there is too much of it (CL-15, E58, TK-10)."""

from accounts import rate_limit
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from smart.http.errors import OAuthError, TooManyRequests
from smart.text import is_printable_ascii

LONGEST_CLIENT_ID = 100


async def count_failure_in_pool(error: OAuthError, request: MachineRequest) -> OAuthError:
    """The refusal, or 429 once there were too many, counted in a thread that writes."""
    return await writer_pool.run(lambda: count_failure(error, request))


def count_failure(error: OAuthError, request: MachineRequest) -> OAuthError:
    """The refusal, or 429 once this client, or who names none, failed too often from this address (E58, TK-10).

    A failure is recorded (CL-15) until then; a success is not, `issued` and the like tell of it.
    """
    wait = rate_limit.count_failure("client", request.credentials.client_id, request.address, now=request.now)
    if wait:
        return TooManyRequests("too many failures, wait", retry_after=wait)
    record(_failure_event(error, request))
    return error


def _failure_event(error: OAuthError, request: MachineRequest) -> Event:
    named = request.credentials.client_id
    known_form = is_printable_ascii(named) and len(named) <= LONGEST_CLIENT_ID
    return Event(
        kind=EventKind.CLIENT_AUTHENTICATION_FAILED,
        at=request.now,
        client=named if known_form else "",
        address=request.address,
        reason=error.hint or error.description,
    )
