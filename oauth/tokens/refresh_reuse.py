"""A refresh token that was used before: its answer again within the grace window, else its whole family dies."""

from typing import Annotated, NamedTuple

from django.conf import settings

from audit.event_kinds import EventKind
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.http.oauth_errors import database_unavailable
from oauth.models import sql
from oauth.tokens import refresh_grace, refresh_rows
from oauth.tokens.authorization_state import ENDED, AuthorizationState
from oauth.tokens.refresh_conditions import record_refusal, require_own_client, require_same_address, require_usable
from oauth.tokens.unnamed_client import INVALID, unknown_refresh_token
from smart.http.errors import InvalidGrant, OAuthError
from smart.tokens.refresh import is_in_grace


class UsedRefreshToken(NamedTuple):
    """A refresh token that was consumed before, and the answer that it got while that is kept."""

    authorization_pk: Annotated[int, "authorization_id"]
    authorization_epoch: Annotated[int, "authorization_epoch"]
    consumed_at: Annotated[int, "consumed_at"]
    kept_answer: Annotated[str, "kept_answer"]
    seat_id: Annotated[int | None, "seat_id"]
    launch_number: Annotated[int, "launch"]


_USED = sql.select(UsedRefreshToken, f"FROM oauth_refreshtoken WHERE {refresh_rows.OF_TOKEN}")


def repeat_or_end_family(
    token: str, request: MachineRequest, client: AuthenticatedClient
) -> MachineResponse | OAuthError:
    """A token used before: within the grace window the same answer again (RF-05), else the family dies (RF-04).

    Raises TemporarilyUnavailable for one that is unused after all: who looked for it to use it has missed its row.
    """
    used = refresh_rows.find(token, lambda place: sql.one(_USED, place))
    if used is None:
        return unknown_refresh_token(token)
    if used.consumed_at == 0:
        raise database_unavailable()
    authorization = AuthorizationState.of(used.authorization_pk)
    try:
        require_own_client(authorization, client)
        require_usable(authorization, used.authorization_epoch)
        if _may_be_repeated(used, request):
            require_same_address(authorization, request, used.seat_id, used.launch_number)
            authorization.record_event(EventKind.REFRESH_REPEATED, at=request.now, address=request.address)
            return MachineResponse(200, refresh_grace.unseal(used.kept_answer, token))
    except InvalidGrant as error:
        record_refusal(authorization, request, error.event_reason)
        return error
    if not _end_family(authorization, request):
        record_refusal(authorization, request, ENDED)
    what = "the refresh token was used before; its whole family has ended"
    return InvalidGrant(INVALID, what=what, rule="RF-04", case="E88", since=used.consumed_at)


def _may_be_repeated(used: UsedRefreshToken, request: MachineRequest) -> bool:
    seconds = settings.SMARTAUTH_REFRESH_GRACE_SECONDS
    return used.kept_answer != "" and is_in_grace(request.now, used.consumed_at, seconds)


def _end_family(authorization: AuthorizationState, request: MachineRequest) -> bool:
    """Ends the authorization with all its tokens, and records it once. False where another request was faster."""
    actor = Actor(now=request.now, address=request.address)
    if access.end_authorization(authorization.pk, actor, EndedFor.REUSED).authorizations == 0:
        return False
    authorization.record_event(EventKind.REFRESH_REUSED, at=request.now, address=request.address)
    return True
