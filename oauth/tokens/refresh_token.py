"""The refresh_token grant (RFC 6749 §6): each token is used once, what it gives depends on what holds today."""

import json
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import connection, transaction

from audit.event_kinds import EventKind
from oauth.http.answer import Answer
from oauth.http.credentials import AuthenticatedClient, Credentials
from oauth.http.machine_request import MachineRequest
from oauth.tokens import refresh_grace
from oauth.tokens.address_change import apply_address_policy
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import RefreshFamily, reissue
from oauth.tokens.refresh_rights import RefreshRights
from smart.digests import sha256_hex
from smart.http.errors import InvalidGrant, InvalidScope, OAuthError
from smart.tokens import address_binding
from smart.tokens.lifetimes import is_expired
from smart.tokens.refresh import is_in_grace

_CONSUME = """
UPDATE oauth_refreshtoken SET consumed_at = %s WHERE digest = %s AND consumed_at = 0
RETURNING id, seat_id, launch, launched_at, authorization_id, authorization_epoch, predecessor_id, expires_at
"""
_GIVE_BACK = "UPDATE oauth_refreshtoken SET consumed_at = 0 WHERE id = %s"
_KEEP = """
UPDATE oauth_refreshtoken SET kept_answer = CASE WHEN id = %s THEN %s ELSE '' END WHERE id = %s OR id = %s
"""
_SPENT = """
SELECT authorization_id, authorization_epoch, consumed_at, kept_answer, seat_id, launch
FROM oauth_refreshtoken WHERE digest = %s
"""
_LAUNCHED_SINCE = "SELECT 1 FROM oauth_seat WHERE id = %s AND %s <= launches - %s"
_END_FAMILY = """
UPDATE oauth_authorization SET epoch = epoch + 1, ended_at = %s, ended_for = 'reused' WHERE id = %s AND ended_at = 0
RETURNING id
"""
_HOLDER = """
SELECT c.client_id FROM oauth_refreshtoken r
JOIN oauth_authorization a ON a.id = r.authorization_id
JOIN oauth_client c ON c.id = a.client_id
WHERE r.digest = %s
"""
REFUSED = "the refresh token is not valid"
SUPERSEDED = "a newer launch ended it"


@dataclass(frozen=True, slots=True)
class Consumed:
    """A refresh token that this request, and no other, has just consumed."""

    family: RefreshFamily
    authorization_id: int
    authorization_epoch: int
    predecessor_id: int | None
    expires_at: int


def unnamed_holder(request: MachineRequest) -> Credentials:
    """Who refreshes without saying who he is (WF-01): a public client needs no more, any other is refused later.

    Raises InvalidGrant for a refresh token that nobody holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [sha256_hex(request.required("refresh_token"))])
        row = cursor.fetchone()
    if row is None:
        raise InvalidGrant(REFUSED)
    return Credentials(row[0], None)


def refresh_token(request: MachineRequest, client: AuthenticatedClient) -> Answer | OAuthError:
    """RFC 6749 §6. A refusal that has consequences is returned, so that they are committed with it."""
    token = request.required("refresh_token")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CONSUME, [request.now, sha256_hex(token)])
            row = cursor.fetchone()
        if row is None:
            return _repeat_or_end_family(token, request, client)
        return _refresh(Consumed(RefreshFamily(*row[:4]), *row[4:]), token, request, client)


def _refresh(
    consumed: Consumed, token: str, request: MachineRequest, client: AuthenticatedClient
) -> Answer | OAuthError:
    grant = AuthorizationState.of(consumed.authorization_id)
    try:
        _require_own_client(grant, request, client)
        _require_live(consumed, grant, request)
        _require_same_address(grant, request, consumed.family.seat_id, consumed.family.launch)
        scope = _allowed_scope(grant, request)
        answer = reissue(grant, scope, consumed.family, now=request.now, address=request.address)
        if answer is None:
            raise InvalidGrant(REFUSED, hint=SUPERSEDED)
    except (InvalidGrant, InvalidScope) as error:
        return _give_back(consumed, grant, request, error)
    body = json.dumps(answer).encode()
    if settings.SMARTAUTH_REFRESH_GRACE_SECONDS:
        _keep_answer(consumed, token, body)
    return Answer(200, body)


def _require_own_client(grant: AuthorizationState, request: MachineRequest, client: AuthenticatedClient) -> None:
    if grant.client_pk != client.pk:
        raise InvalidGrant(REFUSED, hint=f"sent by {client.client_id}, whose it is not")


def _require_live(consumed: Consumed, grant: AuthorizationState, request: MachineRequest) -> None:
    if grant.lost or consumed.authorization_epoch != grant.authorization_epoch:
        raise InvalidGrant(REFUSED, hint=grant.lost or "the authorization has ended")
    if is_expired(request.now, consumed.expires_at):
        raise InvalidGrant(REFUSED, hint="it has expired")


def _require_same_address(grant: AuthorizationState, request: MachineRequest, seat_id: int | None, launch: int) -> None:
    """A refresh from another address is written down, and refused where the policy says so (PR-06, E93).

    Only of a token that lives: else whoever keeps a dead one could ask its person for a login again and again.
    """
    bound, address = grant.token_address, request.address
    met = address_binding.policy_for_use(grant.address_policy, bound, address, settings.SMARTAUTH_ADDRESS_PREFIXES)
    if met == address_binding.OFF:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LAUNCHED_SINCE, [seat_id, launch, grant.tokens_to_keep])
        if cursor.fetchone():
            raise InvalidGrant(REFUSED, hint=SUPERSEDED)
    apply_address_policy(grant, address, bound=bound, at="at a refresh", now=request.now)
    if met in address_binding.STOPPING:
        raise InvalidGrant(REFUSED, hint="it came from another address")


def _allowed_scope(grant: AuthorizationState, request: MachineRequest) -> str:
    """The scope that this refresh may give. Raises InvalidGrant or InvalidScope."""
    rights = RefreshRights.of(grant)
    if rights.lost:
        raise InvalidGrant(REFUSED, hint=rights.lost)
    return rights.narrowed(request.parameters.get("scope", ""))


def _give_back(consumed: Consumed, grant: AuthorizationState, request: MachineRequest, error: OAuthError) -> OAuthError:
    """A refused refresh changes nothing: the token is as good or as bad as it was."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [consumed.family.spent_id])
    grant.record(
        EventKind.REFRESH_REFUSED, at=request.now, address=request.address, reason=error.hint or error.description
    )
    return error


def _keep_answer(consumed: Consumed, token: str, body: bytes) -> None:
    """Keeps the answer for whoever holds this token, and forgets the one before: only the last may be repeated."""
    spent = consumed.family.spent_id
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [spent, refresh_grace.seal(body, token), spent, consumed.predecessor_id])


def _repeat_or_end_family(token: str, request: MachineRequest, client: AuthenticatedClient) -> Answer | OAuthError:
    """A token used before: within the grace window the same answer again (RF-05), else the family dies (RF-04)."""
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, [sha256_hex(token)])
        row = cursor.fetchone()
    if row is None:
        return InvalidGrant(REFUSED)
    authorization_id, authorization_epoch, consumed_at, kept, *launched = row
    grant = AuthorizationState.of(authorization_id)
    tell = partial(grant.record, at=request.now, address=request.address)
    if grant.client_pk != client.pk:
        tell(EventKind.REFRESH_REFUSED, reason=f"sent by {client.client_id}, whose it is not")
    elif grant.lost or authorization_epoch != grant.authorization_epoch:
        tell(EventKind.REFRESH_REFUSED, reason=grant.lost or "the authorization has ended")
    elif kept and is_in_grace(request.now, consumed_at, settings.SMARTAUTH_REFRESH_GRACE_SECONDS):
        try:
            _require_same_address(grant, request, *launched)
        except InvalidGrant as moved_or_superseded:
            tell(EventKind.REFRESH_REFUSED, reason=moved_or_superseded.hint)
            return moved_or_superseded
        tell(EventKind.REFRESH_REPEATED)
        return Answer(200, refresh_grace.unseal(kept, token))
    else:
        _end_family(grant, request)
    return InvalidGrant(REFUSED)


def _end_family(grant: AuthorizationState, request: MachineRequest) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END_FAMILY, [request.now, grant.authorization_id])
        if cursor.fetchone():
            grant.record(EventKind.REFRESH_REUSED, at=request.now, address=request.address)
