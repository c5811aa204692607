"""The one decision whether an access token is alive; every door asks it."""

from enum import StrEnum

from smart.time_units import has_begun
from smart.tokens.lifetimes import is_expired


class Dead(StrEnum):
    """The rules that a live token keeps, each named by what breaks it, in the order in which they are asked."""

    REVOKED = "revoked"
    ENDED = "ended"
    CLIENT_DISABLED = "client-disabled"
    CLIENT_ENDED = "client-ended"
    PERSON_SUSPENDED = "person-stopped"  # as events have called it from the beginning
    PERSON_ENDED = "person-ended"
    FHIR_SERVER_ENDED = "fhir-server-ended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


def dead_reason(
    *,
    now: int,
    issued_at: int,
    expires_at: int,
    revoked_at: int,
    seat: tuple[int, int, int] | None,
    authorization_epochs: tuple[int, int],
    user_epochs: tuple[int, int] | None,
    client_epochs: tuple[int, int],
    fhir_server_epochs: tuple[int, int],
    client_enabled: int,
    user_suspended_at: int = 0,
) -> Dead | None:
    """The first reason why the token is dead, None while it lives.

    `seat` is (number, latest, how many are kept), None where nothing supersedes; `*_epochs` are (granted under, today),
    None for a client without a person.
    """
    if revoked_at != 0:
        return Dead.REVOKED
    reason = unusable_reason(
        has_ended=authorization_epochs[0] != authorization_epochs[1],
        user_epochs=user_epochs,
        client_epochs=client_epochs,
        fhir_server_epochs=fhir_server_epochs,
        client_enabled=client_enabled,
        user_suspended_at=user_suspended_at,
    )
    if reason is not None:
        return reason
    if seat is not None and is_superseded(*seat):
        return Dead.SUPERSEDED
    return Dead.EXPIRED if is_expired(now, expires_at) or not has_begun(issued_at, now=now) else None


def unusable_reason(
    *,
    has_ended: bool,
    user_epochs: tuple[int, int] | None,
    client_epochs: tuple[int, int],
    fhir_server_epochs: tuple[int, int],
    client_enabled: int,
    user_suspended_at: int = 0,
) -> Dead | None:
    """The first reason why no token of an authorization is alive any more, None while one may be."""
    reasons = (
        (Dead.ENDED, has_ended),
        (Dead.CLIENT_DISABLED, not client_enabled),
        (Dead.CLIENT_ENDED, client_epochs[0] != client_epochs[1]),
        (Dead.PERSON_SUSPENDED, user_suspended_at != 0),
        (Dead.PERSON_ENDED, user_epochs is not None and user_epochs[0] != user_epochs[1]),
        (Dead.FHIR_SERVER_ENDED, fhir_server_epochs[0] != fhir_server_epochs[1]),
    )
    return next((reason for reason, holds in reasons if holds), None)


def is_superseded(number: int, latest: int, keep: int) -> bool:
    """Whether newer tokens of the seat have ended this one: only the last `keep` numbers live (PR-01)."""
    return number <= latest - keep
