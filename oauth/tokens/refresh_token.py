"""The refresh_token grant (RFC 6749 §6): each token is used once, what it gives depends on what holds today."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Annotated, NamedTuple

from django.conf import settings
from django.db import transaction

from accounts import rate_limit
from audit.event_kinds import EventKind
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import sql
from oauth.tokens import address_binding, refresh_grace, rights_at_issue, supersede
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import RefreshFamily, reissue
from oauth.tokens.unnamed_client import INVALID, UNKNOWN
from smart.digests import sha256_hex
from smart.http.errors import InvalidGrant, InvalidScope, OAuthError
from smart.tokens.address_binding import BLOCKING, OFF
from smart.tokens.lifetimes import is_expired
from smart.tokens.refresh import is_in_grace

SUPERSEDED = "a newer launch ended it"


@dataclass(frozen=True, slots=True)
class ConsumedRefreshToken:
    """A refresh token that this request, and no other, has just consumed."""

    pk: Annotated[int, "id"]
    seat_id: Annotated[int | None, "seat_id"]
    launch_number: Annotated[int, "launch"]
    launched_at: Annotated[int, "launched_at"]
    authorization_pk: Annotated[int, "authorization_id"]
    authorization_epoch: Annotated[int, "authorization_epoch"]
    predecessor_id: Annotated[int | None, "predecessor_id"]
    expires_at: Annotated[int, "expires_at"]

    @property
    def family(self) -> RefreshFamily:
        """What the next refresh token shares with this one."""
        return RefreshFamily(self.pk, self.seat_id, self.launch_number, self.launched_at)


class UsedRefreshToken(NamedTuple):
    """A refresh token that was consumed before, and the answer that it got while that is kept."""

    authorization_pk: Annotated[int, "authorization_id"]
    authorization_epoch: Annotated[int, "authorization_epoch"]
    consumed_at: Annotated[int, "consumed_at"]
    kept_answer: Annotated[str, "kept_answer"]
    seat_id: Annotated[int | None, "seat_id"]
    launch_number: Annotated[int, "launch"]


_CONSUME = sql.returning(
    ConsumedRefreshToken, "UPDATE oauth_refreshtoken SET consumed_at = %s WHERE digest = %s AND consumed_at = 0"
)
_GIVE_BACK = "UPDATE oauth_refreshtoken SET consumed_at = 0 WHERE id = %s"
_KEEP_ANSWER = """
UPDATE oauth_refreshtoken SET kept_answer = CASE WHEN id = %s THEN %s ELSE '' END WHERE id = %s OR id = %s
"""
_USED = sql.select(UsedRefreshToken, "FROM oauth_refreshtoken WHERE digest = %s")


def refresh_token(request: MachineRequest, client: AuthenticatedClient) -> MachineResponse | OAuthError:
    """RFC 6749 §6. A refusal that has consequences is returned, so that they are committed with it."""
    token = request.required("refresh_token", rule="RF-01", case="E86")
    with transaction.atomic():
        consumed = sql.one(_CONSUME, [request.now, sha256_hex(token)])
        if consumed is None:
            return _repeat_or_end_family(token, request, client)
        return _refresh(consumed, token, request, client)


def _refresh(
    consumed: ConsumedRefreshToken, token: str, request: MachineRequest, client: AuthenticatedClient
) -> MachineResponse | OAuthError:
    authorization = AuthorizationState.of(consumed.authorization_pk)
    try:
        _require_own_client(authorization, client)
        _require_live(consumed, authorization, request)
        _require_same_address(authorization, request, consumed.seat_id, consumed.launch_number)
        scope = _allowed_scope(authorization, request)
        answer = reissue(authorization, scope, consumed.family, now=request.now, address=request.address)
        if answer is None:
            raise InvalidGrant(INVALID, event_reason=SUPERSEDED, rule="PR-01", case="E87")
    except (InvalidGrant, InvalidScope) as error:
        return _give_back(consumed, authorization, request, error)
    body = json.dumps(answer).encode()
    if settings.SMARTAUTH_REFRESH_GRACE_SECONDS:
        _keep_answer(consumed, token, body)
    return MachineResponse(200, body)


def _require_own_client(authorization: AuthorizationState, client: AuthenticatedClient) -> None:
    if authorization.client_pk != client.pk:
        raise InvalidGrant(INVALID, event_reason=_not_its_own(client), rule="RF-01", case="E89")


def _require_live(consumed: ConsumedRefreshToken, authorization: AuthorizationState, request: MachineRequest) -> None:
    if reason := authorization.unusable_reason_under(consumed.authorization_epoch):
        raise InvalidGrant(INVALID, event_reason=reason, rule=authorization.unusable_rule, case="E87")
    if is_expired(request.now, consumed.expires_at):
        since = consumed.expires_at
        raise InvalidGrant(INVALID, event_reason="it has expired", rule="RF-08", case="E87", since=since)


def _require_same_address(
    authorization: AuthorizationState, request: MachineRequest, seat_id: int | None, launch_number: int
) -> None:
    """A refresh from another address is written down, and refused where the policy says so (PR-06, E93).

    Only of a token that lives: else a holder of a dead one could ask its person for a login again and again.
    """
    policy = address_binding.policy_for_refresh(authorization, request.address)
    if policy == OFF:
        return
    if supersede.is_superseded(authorization, seat_id, launch_number):
        raise InvalidGrant(INVALID, event_reason=SUPERSEDED, rule="PR-01", case="E87")
    bound = authorization.token_address
    address_binding.apply_address_policy(
        authorization, request.address, bound=bound, at="at a refresh", now=request.now
    )
    if policy in BLOCKING:
        raise InvalidGrant(
            INVALID,
            event_reason="it came from another address",
            rule="PR-06",
            case="E93",
            presented=request.address,
            expected=bound,
        )


def _allowed_scope(authorization: AuthorizationState, request: MachineRequest) -> str:
    """The scope that this refresh may give. Raises InvalidGrant or InvalidScope."""
    if reason := rights_at_issue.refresh_refusal_reason(authorization):
        raise InvalidGrant(INVALID, event_reason=reason, rule="RF-11", case="E87")
    return rights_at_issue.refreshed_scope(authorization, request.parameters.get("scope", ""))


def _give_back(
    consumed: ConsumedRefreshToken, authorization: AuthorizationState, request: MachineRequest, error: OAuthError
) -> OAuthError:
    """A refused refresh changes nothing: the token is as good or as bad as it was."""
    sql.execute(_GIVE_BACK, [consumed.pk])
    _record_refusal(authorization, request, error.event_reason or error.description)
    return error


def _record_refusal(authorization: AuthorizationState, request: MachineRequest, reason: str) -> None:
    """The first refusals of an authorization are told one by one, then their number (SD-20)."""
    counted = rate_limit.count("refresh refused", str(authorization.pk), "", now=request.now)
    if counted.is_worth_an_event:
        reason = counted.with_number(reason)
        authorization.record_event(EventKind.REFRESH_REFUSED, at=request.now, address=request.address, reason=reason)


def _keep_answer(consumed: ConsumedRefreshToken, token: str, body: bytes) -> None:
    """Keeps the answer for the holder of this token, and forgets the one before: only the last may be repeated."""
    sealed = refresh_grace.seal(body, token)
    sql.execute(_KEEP_ANSWER, [consumed.pk, sealed, consumed.pk, consumed.predecessor_id])


def _repeat_or_end_family(
    token: str, request: MachineRequest, client: AuthenticatedClient
) -> MachineResponse | OAuthError:
    """A token used before: within the grace window the same answer again (RF-05), else the family dies (RF-04)."""
    used = sql.one(_USED, [sha256_hex(token)])
    if used is None:
        return InvalidGrant(INVALID, what=UNKNOWN, rule="RF-01", case="E87")
    authorization = AuthorizationState.of(used.authorization_pk)
    record_event = partial(authorization.record_event, at=request.now, address=request.address)
    if authorization.client_pk != client.pk:
        _record_refusal(authorization, request, _not_its_own(client))
        return InvalidGrant(INVALID, what=_not_its_own(client), rule="RF-01", case="E89")
    if reason := authorization.unusable_reason_under(used.authorization_epoch):
        _record_refusal(authorization, request, reason)
        return InvalidGrant(INVALID, what=reason, rule=authorization.unusable_rule, case="E87")
    if used.kept_answer and is_in_grace(request.now, used.consumed_at, settings.SMARTAUTH_REFRESH_GRACE_SECONDS):
        try:
            _require_same_address(authorization, request, used.seat_id, used.launch_number)
        except InvalidGrant as error:
            _record_refusal(authorization, request, error.event_reason)
            return error
        record_event(EventKind.REFRESH_REPEATED)
        return MachineResponse(200, refresh_grace.unseal(used.kept_answer, token))
    if _end_family(authorization, request):
        record_event(EventKind.REFRESH_REUSED)
    what = "the refresh token was used before; its whole family has ended"
    return InvalidGrant(INVALID, what=what, rule="RF-04", case="E88", since=used.consumed_at)


def _not_its_own(client: AuthenticatedClient) -> str:
    return f"sent by {client.client_id}, whose it is not"


def _end_family(authorization: AuthorizationState, request: MachineRequest) -> bool:
    actor = Actor(now=request.now, address=request.address)
    return access.end_authorization(authorization.pk, actor, EndedFor.REUSED).authorizations > 0
