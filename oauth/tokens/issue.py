"""Issuing tokens, inside the caller's transaction: one way for the endpoint's grants and for the command."""

import json
import secrets
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from joserfc import jwt

from audit.event_kinds import EventKind
from audit.trail import record
from oauth.keys import signing_keys
from oauth.models import FhirServer, public_reference
from oauth.tokens import id_token
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.claims import build_claims
from smart.digests import random_token, sha256_hex
from smart.time_units import SECOND
from smart.tokens import lifetimes, refresh

_LAUNCHED = """
INSERT INTO oauth_seat (key, latest, launches) VALUES (%s, 1, 1)
ON CONFLICT (key) DO UPDATE SET latest = oauth_seat.latest + 1, launches = oauth_seat.launches + 1
RETURNING id, latest, launches
"""
# Whoever holds the seat's row issues alone, so a launch that came first is seen here and one that comes later waits.
_REFRESHED = """
UPDATE oauth_seat SET latest = latest + 1 WHERE id = %s AND %s > launches - %s RETURNING id, latest, %s
"""
_KEEP_ACCESS = """
INSERT INTO oauth_accesstoken (digest, signed_digest, signature_digest, jti, authorization_id, authorization_epoch,
    code_id, seat_id, seat_number, scope, claims, issued_at, expires_at, revoked_at, revoked_for, address)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '', %s)
RETURNING id
"""
_KEEP_REFRESH = """
INSERT INTO oauth_refreshtoken (digest, authorization_id, authorization_epoch, predecessor_id, seat_id, launch,
    launched_at, issued_at, expires_at, consumed_at, kept_answer)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '')
"""


_BIND = "UPDATE oauth_authorization SET token_address = %s WHERE id = %s"


class SeatNumber(NamedTuple):
    """A place in a seat: the number of the next access token, and of the launch that it goes back to."""

    seat_id: int | None
    number: int
    launch: int


class RefreshFamily(NamedTuple):
    """The refresh tokens of one launch: the one just used, and what all of them share."""

    spent_id: int | None
    seat_id: int | None
    launch: int
    launched_at: int


def issue(
    grant: AuthorizationState, *, now: int, address: str, code_id: int | None = None, nonce: str = ""
) -> dict[str, Any]:
    """What a launch gives (RFC 6749 §5.1). Older tokens of its seat die with it, refresh tokens too (PR-01)."""
    if grant.refresh_kind:
        _bind_token_address(grant, address)  # before the seat, as at a refresh that is flagged: locks have one order
    place = take_seat(grant)
    answer = _issue_access_token(grant, place, EventKind.ISSUED, now=now, address=address, code_id=code_id, nonce=nonce)
    if grant.refresh_kind:
        family = RefreshFamily(None, place.seat_id, place.launch, now)
        answer["refresh_token"] = _issue_refresh_token(grant, family, now=now)
    return answer


def issue_without_refresh(grant: AuthorizationState, scope: str, *, now: int, address: str) -> dict[str, Any]:
    """What a client gets for itself: a token that ends older ones of its seat, and nothing to refresh it (BK-05)."""
    return _issue_access_token(grant, take_seat(grant), EventKind.ISSUED, now=now, address=address, scope=scope)


def reissue(
    grant: AuthorizationState, scope: str, family: RefreshFamily, *, now: int, address: str
) -> dict[str, Any] | None:
    """What a refresh gives (RF-09): `scope` for this once; the next refresh token stands for the whole grant (RF-02).

    None once a newer launch ended the family; nothing has changed then.
    """
    place = keep_seat(grant, family)
    if place is None:
        return None
    answer = _issue_access_token(grant, place, EventKind.REFRESHED, now=now, address=address, scope=scope)
    return {**answer, "refresh_token": _issue_refresh_token(grant, family, now=now)}


def _bind_token_address(grant: AuthorizationState, address: str) -> None:
    """Later refreshes are compared with the address of the exchange (PR-04)."""
    with connection.cursor() as cursor:
        cursor.execute(_BIND, [address, grant.authorization_id])


def take_seat(grant: AuthorizationState) -> SeatNumber:
    if not grant.seat_key:
        return SeatNumber(None, 0, 0)
    with connection.cursor() as cursor:
        cursor.execute(_LAUNCHED, [grant.seat_key])
        return SeatNumber(*cursor.fetchone())


def keep_seat(grant: AuthorizationState, family: RefreshFamily) -> SeatNumber | None:
    if family.seat_id is None:
        return SeatNumber(None, 0, 0)
    with connection.cursor() as cursor:
        cursor.execute(_REFRESHED, [family.seat_id, family.launch, grant.tokens_to_keep, family.launch])
        row = cursor.fetchone()
        return SeatNumber(*row) if row else None


def _issue_access_token(
    grant: AuthorizationState,
    place: SeatNumber,
    kind: EventKind,
    *,
    now: int,
    address: str,
    scope: str | None = None,
    code_id: int | None = None,
    nonce: str = "",
) -> dict[str, Any]:
    """A live access token, its event, and the answer that carries it."""
    scope, issued, seconds = scope or grant.scope, now // SECOND, _lifetime_seconds(grant)
    told = build_claims(grant, _jwt_claims(grant, scope, issued=issued, expires=issued + seconds), scope)
    token, jti, digests = _format_token(grant, told.jwt)
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP_ACCESS,
            [*digests, jti, grant.authorization_id, grant.authorization_epoch, code_id, place.seat_id, place.number,
             scope, json.dumps(told.answer), now, (issued + seconds) * SECOND, address],
        )  # fmt: skip
        (token_id,) = cursor.fetchone()
    _record(grant, kind, token_id, place.number, now=now, address=address)
    identity = id_token.id_token_member(grant, scope, issued=issued, expires=issued + seconds, nonce=nonce)
    context = json.loads(grant.context)
    return {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope, **identity, **context}


def _lifetime_seconds(grant: AuthorizationState) -> int:
    seconds = lifetimes.access_token_seconds if grant.user_pk else lifetimes.backend_token_seconds
    return seconds(
        grant.server_seconds,
        grant.client_seconds,
        default=settings.SMARTAUTH_ACCESS_TOKEN_SECONDS,
        bound=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
    )


def _jwt_claims(grant: AuthorizationState, scope: str, *, issued: int, expires: int) -> dict[str, Any]:
    about = {"iss": settings.SMARTAUTH_ISSUER, "aud": grant.base, "client_id": grant.client_id}
    subject = grant.subject or grant.client_id
    return {**about, "sub": subject, "iat": issued, "exp": expires, "scope": scope, **json.loads(grant.context)}


def _format_token(grant: AuthorizationState, claims: dict[str, Any]) -> tuple[str, str | None, tuple[str, str, str]]:
    """The token in the server's format (AT-01), its jti and its digests; an opaque one has neither parts nor jti."""
    if grant.token_format == FhirServer.TokenFormat.OPAQUE:
        token = random_token()
        return token, None, (sha256_hex(token), "", "")
    jti = secrets.token_urlsafe(16)
    token = _sign(grant, {**claims, "jti": jti})
    return token, jti, _digests(token)


def _sign(grant: AuthorizationState, claims: dict[str, Any]) -> str:
    if grant.kid is None:
        raise signing_keys.UnreadableKey(
            f"there is no active {grant.algorithm} key; the server makes one when it starts"
        )
    header = {"alg": grant.algorithm, "typ": "at+jwt", "kid": grant.kid}
    return jwt.encode(
        header, claims, signing_keys.private_key(grant.kid, grant.private_encrypted), algorithms=[grant.algorithm]
    )


def _digests(token: str) -> tuple[str, str, str]:
    signed, _, signature = token.rpartition(".")
    return sha256_hex(token), sha256_hex(signed), sha256_hex(signature)


def _issue_refresh_token(grant: AuthorizationState, family: RefreshFamily, *, now: int) -> str:
    """The next refresh token of the family; only its digest is kept."""
    token = random_token()
    absolute = refresh.absolute_seconds(
        grant.client_refresh_seconds, settings.SMARTAUTH_REFRESH_TOKEN_SECONDS, keeps_secrets=grant.keeps_secrets
    )
    expires_at = refresh.expires_at(
        now,
        family.launched_at,
        idle=settings.SMARTAUTH_REFRESH_IDLE_SECONDS,
        absolute=absolute,
        session_ends_at=grant.session_ends_at if grant.refresh_kind == refresh.ONLINE else 0,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP_REFRESH,
            [sha256_hex(token), grant.authorization_id, grant.authorization_epoch, *family, now, expires_at],
        )
    return token


def _record(grant: AuthorizationState, kind: EventKind, token_id: int, number: int, *, now: int, address: str) -> None:
    events = [grant.event(kind, at=now, address=address, token=public_reference(token_id))]
    if number > grant.tokens_to_keep:
        events.append(grant.event(EventKind.SUPERSEDED, at=now, reason=f"by token {public_reference(token_id)}"))
    record(*events)
