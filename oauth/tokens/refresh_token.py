"""The refresh_token grant (RFC 6749 §6): each token is used once, what it gives depends on what holds today."""

from dataclasses import dataclass
from typing import Annotated

from django.conf import settings
from django.db import transaction

from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import sql
from oauth.tokens import refresh_grace, refresh_rows, rights_at_issue
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import RefreshFamily, reissue
from oauth.tokens.refresh_conditions import (
    SUPERSEDED,
    record_refusal,
    require_own_client,
    require_same_address,
    require_usable,
)
from oauth.tokens.refresh_reuse import repeat_or_end_family
from oauth.tokens.unheard_commit import remember_attempt, unheard_answer
from oauth.tokens.unnamed_client import INVALID
from smart.http.errors import InvalidGrant, InvalidScope, OAuthError
from smart.tokens.lifetimes import is_expired


@dataclass(frozen=True, slots=True)
class ConsumedRefreshToken:
    """A refresh token that this request, and no other, has just consumed."""

    pk: Annotated[int, "oauth_refreshtoken.id"]
    seat_id: Annotated[int | None, "oauth_refreshtoken.seat_id"]
    launch_number: Annotated[int, "oauth_refreshtoken.launch"]
    launched_at: Annotated[int, "oauth_refreshtoken.launched_at"]
    authorization_pk: Annotated[int, "oauth_refreshtoken.authorization_id"]
    authorization_epoch: Annotated[int, "oauth_refreshtoken.authorization_epoch"]
    predecessor_id: Annotated[int | None, "oauth_refreshtoken.predecessor_id"]
    issued_at: Annotated[int, "oauth_refreshtoken.issued_at"]
    expires_at: Annotated[int, "oauth_refreshtoken.expires_at"]

    @property
    def family(self) -> RefreshFamily:
        """What the next refresh token shares with this one."""
        return RefreshFamily(self.pk, self.seat_id, self.launch_number, self.launched_at)


_CONSUME = sql.returning(
    ConsumedRefreshToken,
    f"UPDATE oauth_refreshtoken SET consumed_at = %s WHERE {refresh_rows.OF_TOKEN} AND consumed_at = 0",  # noqa: S608
)
_GIVE_BACK = "UPDATE oauth_refreshtoken SET consumed_at = 0 WHERE id = %s AND expires_at = %s"
# The token before had not expired when this one was issued for it.
_KEEP_ANSWER = """
UPDATE oauth_refreshtoken SET kept_answer = CASE WHEN id = %s THEN %s ELSE '' END
WHERE (id = %s OR id = %s) AND expires_at > %s
"""


def refresh_token(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse | OAuthError:
    """RFC 6749 §6. A refusal that has consequences is returned, so that they are committed with it."""
    token = request.required("refresh_token", rule="RF-01", case="E86")
    with transaction.atomic():
        consumed = refresh_rows.find(token, lambda place: sql.one(_CONSUME, [request.now, *place]))
        if consumed is None:
            return unheard_answer(request) or repeat_or_end_family(token, request, client)
        return _refresh(consumed, token, request, client)


def _refresh(
    consumed: ConsumedRefreshToken, token: str, request: MachineRequest, client: AuthenticatedClient
) -> MachineResponse | OAuthError:
    authorization = AuthorizationState.of(consumed.authorization_pk)
    try:
        require_own_client(authorization, client)
        require_live(consumed, authorization, request)
        require_same_address(authorization, request, consumed.seat_id, consumed.launch_number)
        scope = allowed_scope(authorization, request)
        answer = reissue(authorization, scope, consumed.family, now=request.now, address=request.address)
        if answer is None:
            raise InvalidGrant(INVALID, event_reason=SUPERSEDED, rule="PR-01", case="E87")
    except (InvalidGrant, InvalidScope) as error:
        return _give_back(consumed, authorization, request, error)
    response = remember_attempt(request, answer)
    if settings.SMARTAUTH_REFRESH_GRACE_SECONDS:
        _keep_answer(consumed, token, response.body)
    return response


def require_live(consumed: ConsumedRefreshToken, authorization: AuthorizationState, request: MachineRequest) -> None:
    """Neither has its authorization ended nor its time. Raises InvalidGrant."""
    require_usable(authorization, consumed.authorization_epoch)
    if is_expired(request.now, consumed.expires_at):
        since = consumed.expires_at
        raise InvalidGrant(INVALID, event_reason="it has expired", rule="RF-08", case="E87", since=since)


def allowed_scope(authorization: AuthorizationState, request: MachineRequest) -> str:
    """The scope that this refresh may give. Raises InvalidGrant or InvalidScope."""
    if reason := rights_at_issue.refresh_refusal_reason(authorization):
        raise InvalidGrant(INVALID, event_reason=reason, rule="RF-11", case="E87")
    return rights_at_issue.refreshed_scope(authorization, request.parameters.get("scope", ""))


def _give_back(
    consumed: ConsumedRefreshToken, authorization: AuthorizationState, request: MachineRequest, error: OAuthError
) -> OAuthError:
    """A refused refresh changes nothing: the token is as good or as bad as it was."""
    sql.execute(_GIVE_BACK, [consumed.pk, consumed.expires_at])
    record_refusal(authorization, request, error.event_reason or error.description)
    return error


def _keep_answer(consumed: ConsumedRefreshToken, token: str, body: bytes) -> None:
    """Keeps the answer for the holder of this token, and forgets the one before: only the last may be repeated."""
    sealed = refresh_grace.seal(body, token)
    sql.execute(_KEEP_ANSWER, [consumed.pk, sealed, consumed.pk, consumed.predecessor_id, consumed.issued_at])
