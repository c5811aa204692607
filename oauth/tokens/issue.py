"""Issuing tokens, inside the caller's transaction: one way for the endpoint's grants and for the command."""

from typing import Any, NamedTuple

from django.conf import settings

from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.models import public_reference, sql
from oauth.tokens import access_token, address_binding, id_token, supersede
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.claims import build_claims
from oauth.tokens.supersede import SeatNumbers
from smart.digests import random_token, sha256_hex
from smart.json_output import ascii_json
from smart.time_units import SECOND
from smart.tokens import refresh

_NOT_REVOKED: dict[str, sql.Value] = {"revoked_at": 0, "revoked_for": ""}
_NOT_CONSUMED: dict[str, sql.Value] = {"consumed_at": 0, "kept_answer": ""}


class RefreshFamily(NamedTuple):
    """The refresh tokens of one launch: the one just used, and what all of them share."""

    spent_id: int | None
    seat_id: int | None
    launch_number: int
    launched_at: int


def issue(
    authorization: AuthorizationState, *, now: int, address: str, code_id: int | None = None, nonce: str = ""
) -> dict[str, Any]:
    """What a launch gives (RFC 6749 §5.1). Older tokens of its seat die with it, refresh tokens too (PR-01)."""
    if authorization.refresh_kind:
        # before the seat, as at a refresh that is flagged: locks have one order
        address_binding.bind_token_address(authorization, address)
    numbers = supersede.take_numbers(authorization, now=now)
    answer = _issue_access_token(
        authorization, numbers, EventKind.ISSUED, now=now, address=address, code_id=code_id, nonce=nonce
    )
    if authorization.refresh_kind:
        family = RefreshFamily(None, numbers.seat_id, numbers.launch_number, now)
        answer["refresh_token"] = _issue_refresh_token(authorization, family, now=now)
    return answer


def issue_without_refresh(authorization: AuthorizationState, scope: str, *, now: int, address: str) -> dict[str, Any]:
    """What a client gets for itself: a token that ends older ones of its seat, and nothing to refresh it (BK-05)."""
    numbers = supersede.take_numbers(authorization, now=now)
    return _issue_access_token(authorization, numbers, EventKind.ISSUED, now=now, address=address, scope=scope)


def reissue(
    authorization: AuthorizationState, scope: str, family: RefreshFamily, *, now: int, address: str
) -> dict[str, Any] | None:
    """What a refresh gives (RF-09): `scope` for this once; the next refresh token stands for the whole grant (RF-02).

    None once a newer launch ended the family; nothing has changed then.
    """
    numbers = supersede.take_token_number(authorization, family.seat_id, family.launch_number, now=now)
    if numbers is None:
        return None
    answer = _issue_access_token(authorization, numbers, EventKind.REFRESHED, now=now, address=address, scope=scope)
    return {**answer, "refresh_token": _issue_refresh_token(authorization, family, now=now)}


def _issue_access_token(
    authorization: AuthorizationState,
    numbers: SeatNumbers,
    kind: EventKind,
    *,
    now: int,
    address: str,
    scope: str = "",
    code_id: int | None = None,
    nonce: str = "",
) -> dict[str, Any]:
    """A live access token, its event, and the answer that carries it."""
    made = new_access_token(authorization, numbers, now=now, address=address, scope=scope, code_id=code_id, nonce=nonce)
    token_id = sql.insert("oauth_accesstoken", **made.columns)
    record_events(*token_events(authorization, kind, token_id, numbers, now=now, address=address))
    return made.answer


def _issue_refresh_token(authorization: AuthorizationState, family: RefreshFamily, *, now: int) -> str:
    """The next refresh token of the family."""
    token, columns = new_refresh_token(authorization, family, now=now)
    sql.insert("oauth_refreshtoken", **columns)
    return token


class NewAccessToken(NamedTuple):
    """A token that is not yet written: its row, and the answer that carries it."""

    columns: dict[str, sql.Value]
    answer: dict[str, Any]


def new_access_token(
    authorization: AuthorizationState,
    numbers: SeatNumbers,
    *,
    now: int,
    address: str,
    scope: str,
    code_id: int | None = None,
    nonce: str = "",
) -> NewAccessToken:
    """A live access token. It reads the database only where it has a `user/` scope."""
    scope, seconds = scope or authorization.scope, access_token.lifetime_seconds(authorization)
    times = {"issued": now // SECOND, "expires": now // SECOND + seconds}
    claims = build_claims(authorization, access_token.standard_claims(authorization, scope, **times), scope)
    made = access_token.make_token(authorization, claims.jwt)
    columns: dict[str, sql.Value] = {
        "scope": scope,
        "claims": ascii_json(claims.introspection).decode(),
        "code_id": code_id,
        "expires_at": times["expires"] * SECOND,
        "seat_number": numbers.token_number,
        "address": address,
    }
    columns |= made.columns | _shared_columns(authorization, numbers.seat_id, now=now) | _NOT_REVOKED
    identity = id_token.id_token_member(authorization, scope, **times, nonce=nonce)
    about = {"token_type": "Bearer", "expires_in": seconds, "scope": scope}
    answer = {"access_token": made.token, **about, **identity, **access_token.launch_context(authorization)}
    return NewAccessToken(columns, answer)


def new_refresh_token(
    authorization: AuthorizationState, family: RefreshFamily, *, now: int
) -> tuple[str, dict[str, sql.Value]]:
    """A refresh token and its row, which keeps only its digest."""
    expires_at = _refresh_expires_at(authorization, family, now=now)
    token = refresh.text_of(random_token(), expires_at)
    columns: dict[str, sql.Value] = {
        "digest": sha256_hex(token),
        "predecessor_id": family.spent_id,
        "launch": family.launch_number,
        "launched_at": family.launched_at,
        "expires_at": expires_at,
    }
    return token, columns | _shared_columns(authorization, family.seat_id, now=now) | _NOT_CONSUMED


def _shared_columns(authorization: AuthorizationState, seat_id: int | None, *, now: int) -> dict[str, sql.Value]:
    """What both kinds of token say of themselves. One lives while its authorization has the epoch that it names."""
    return {
        "authorization_id": authorization.pk,
        "authorization_epoch": authorization.epoch,
        "seat_id": seat_id,
        "issued_at": now,
    }


def _refresh_expires_at(authorization: AuthorizationState, family: RefreshFamily, *, now: int) -> int:
    absolute = refresh.absolute_seconds(
        authorization.refresh_token_seconds,
        settings.SMARTAUTH_REFRESH_TOKEN_SECONDS,
        keeps_secrets=authorization.keeps_secrets,
    )
    return refresh.expires_at(
        now,
        family.launched_at,
        idle=settings.SMARTAUTH_REFRESH_IDLE_SECONDS,
        absolute=absolute,
        session_ends_at=authorization.session_ends_at if authorization.refresh_kind == refresh.ONLINE else 0,
    )


def token_events(
    authorization: AuthorizationState, kind: EventKind, token_id: int, numbers: SeatNumbers, *, now: int, address: str
) -> list[Event]:
    """What is recorded of a new access token: that it is there, and which one it has superseded."""
    token = public_reference(token_id)
    superseded = supersede.superseded_event(authorization, numbers, token, now=now)
    return [authorization.event(kind, at=now, address=address, token=token), *filter(None, [superseded])]
