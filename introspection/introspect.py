"""RFC 7662: is this token alive, and what does it allow? One statement, one decision, one answer, nothing cached."""

from audit.trail import Event, record
from introspection import tampering
from introspection.lookups import lookups
from introspection.statement import Found
from oauth.client_authentication import as_client
from oauth.clients import FAILED, NOBODY, Kept, proven
from oauth.digests import digest
from oauth.endpoint import Answer, MachineRequest, writers
from oauth.models import Client, numbered
from smart.errors import InvalidClient
from smart.live import dead_because

INACTIVE = Answer(200, b'{"active":false}')


async def introspect(request: MachineRequest) -> Answer:
    """The claims of a live token, or {"active":false}: also for a token that the caller may not ask about (IN-06)."""
    token = request.required("token")
    if request.credentials.assertion:
        await as_client(request, lambda client: client)
    found = await lookups().find(digest(token), request.credentials.client_id)
    if not request.credentials.assertion:
        _authenticate(request, found)
    if found.token is None:
        await tampering.judge(token, request)
        return INACTIVE
    if found.role is None:
        await writers.run(lambda: record(_refused(request, found)))
        return INACTIVE
    if _dead(found, request.now):
        return INACTIVE
    return Answer(200, found.claims.encode())


def _authenticate(request: MachineRequest, found: Found) -> None:
    """Raises InvalidClient unless the caller proved itself by a secret; a public client has nothing to prove with."""
    kept = _kept(found)
    if not proven(request.credentials, kept, now=request.now) or kept.authentication == Client.Authentication.NONE:
        raise InvalidClient(FAILED)


def _kept(found: Found) -> Kept:
    if found.caller_authentication is None:
        return NOBODY
    return Kept(
        found.caller_authentication,
        found.caller_enabled,
        found.caller_secret,
        found.caller_old_secret,
        found.caller_old_secret_until,
    )


def _dead(found: Found, now: int) -> str:
    return dead_because(
        now=now,
        expires_at=found.expires_at,
        revoked_at=found.revoked_at,
        seat=(found.seat_number, found.seat_latest, found.tokens_to_keep) if found.seat is not None else None,
        authorization_epochs=(found.token_authorization_epoch, found.authorization_epoch),
        user_epochs=(found.granted_user_epoch, found.user_epoch) if found.user_epoch is not None else None,
        client_epochs=(found.granted_client_epoch, found.client_epoch),
        client_enabled=found.client_enabled,
        user_stopped_at=found.user_stopped_at or 0,
    )


def _refused(request: MachineRequest, found: Found) -> Event:
    return Event(
        kind="introspection-refused",
        at=request.now,
        client=request.credentials.client_id,
        token=numbered(found.token or 0),
        address=request.address,
        reason="the caller is no resource server of that FHIR server",
    )
