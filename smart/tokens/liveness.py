"""The one decision whether an access token is alive; every door asks it."""

from smart.tokens.lifetimes import is_expired


def dead_because(
    *,
    now: int,
    expires_at: int,
    revoked_at: int,
    seat: tuple[int, int, int] | None,
    authorization_epochs: tuple[int, int],
    user_epochs: tuple[int, int] | None,
    client_epochs: tuple[int, int],
    client_enabled: int,
    user_stopped_at: int = 0,
) -> str:
    """The first reason why the token is dead, "" while it lives.

    `seat` is (number, latest, how many are kept), None where nothing supersedes; `*_epochs` are (granted under, today),
    None for a client without a person.
    """
    reasons = (
        ("revoked", revoked_at != 0),
        ("ended", authorization_epochs[0] != authorization_epochs[1]),
        ("client-disabled", not client_enabled),
        ("client-ended", client_epochs[0] != client_epochs[1]),
        ("person-stopped", user_stopped_at != 0),
        ("person-ended", user_epochs is not None and user_epochs[0] != user_epochs[1]),
        ("superseded", seat is not None and is_superseded(*seat)),
        ("expired", is_expired(now, expires_at)),
    )
    return next((reason for reason, holds in reasons if holds), "")


def is_superseded(number: int, latest: int, keep: int) -> bool:
    """Whether newer tokens of the seat have ended this one: only the last `keep` numbers live, at least one (PR-01)."""
    return number <= latest - max(keep, 1)
