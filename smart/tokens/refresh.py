"""Refreshing (RFC 6749 §6): who gets a refresh token, how long it lives, and which scopes one refresh may ask for."""

import re

from smart.http.errors import InvalidScope
from smart.remembered import remembered
from smart.scopes.categories import is_evaluable
from smart.scopes.scope_parameter import check_characters, check_count
from smart.scopes.scope_sets import grantable_scope, is_within, parse_scopes, scope_string
from smart.time_units import DAY, SECOND, has_begun

OFFLINE, ONLINE = "offline_access", "online_access"
GRACE_BOUND = 30
ANY_TIME = (0, 2**63 - 1)
_DAY_OF_END = re.compile(r"[^.]+\.([1-9][0-9]{4})", re.ASCII)


@remembered
def refresh_scope(scope: str) -> str:
    """Which scope lets the app refresh, "" if neither was granted (CG-07); offline_access outweighs (SCP-17)."""
    held = {part.short_name for part in parse_scopes(scope)}
    return next((name for name in (OFFLINE, ONLINE) if name in held), "")


def absolute_seconds(client: int, default: int, *, keeps_secrets: bool) -> int:
    """How long after the launch refreshing ends for good, 0 = never.

    What the operator set for the client; else never for confidential and native apps (each refresh starts a new period,
    RF-07), and `default` for a public app in a browser, which can hide nothing in its storage (RF-08).
    """
    return client or (0 if keeps_secrets else default)


def expires_at(now: int, launched_at: int, *, idle: int, absolute: int, session_ends_at: int = 0) -> int:
    """Until when a refresh token issued now may be used: the first of the limits. Microseconds; idle and absolute in s.

    `session_ends_at` is that of the session for online_access, 0 for offline_access (SCP-17).
    """
    limits = [now + idle * SECOND]
    if absolute:
        limits.append(launched_at + absolute * SECOND)
    if session_ends_at:
        limits.append(session_ends_at)
    return min(limits)


def text_of(drawn: str, expires_at: int) -> str:
    """The token: what was drawn at random, and the day on which it expires, by which its row is found.

    That day is no secret from who holds the token, and nobody can change it: only the digest of all of it is known.
    """
    return f"{drawn}.{expires_at // DAY}"


def possible_ends(token: str) -> tuple[int, int]:
    """Between which two moments that token expires, both included, if it is one; any where its text does not tell."""
    found = _DAY_OF_END.fullmatch(token)
    if found is None:
        return ANY_TIME
    begin = int(found[1]) * DAY
    return begin, begin + DAY - 1


def is_in_grace(now: int, consumed_at: int, seconds: int) -> bool:
    """Whether the token just rotated may still be repeated (RF-05)."""
    return has_begun(consumed_at, now=now) and now < consumed_at + seconds * SECOND


@remembered
def narrowed_scope(
    requested: str, held: str, *, granted_scope: str, requested_scope: str, types: frozenset[str]
) -> str:
    """What one refresh gives: everything that is still `held`, or the part of it that was requested (RF-02, TR-02).

    Raises InvalidScope for more than was granted, in whatever syntax (E91). What the app asked for by the same name
    when it was authorized, and did not get, is left out instead (WF-11); so is a restriction that cannot be evaluated.
    """
    if not requested:
        return held
    check_characters(requested)
    check_count(requested)
    asked_before = {scope.name for scope in parse_scopes(requested_scope)}
    new = scope_string(scope for scope in parse_scopes(requested) if scope.name not in asked_before)
    if not is_within(new, granted_scope):
        raise _too_wide("scope asks for more than was granted", requested, granted_scope)
    evaluable = scope_string(scope for scope in parse_scopes(requested) if is_evaluable(scope))
    part = grantable_scope(evaluable, held, types=types)
    if not part:
        raise _too_wide("none of these scopes was granted", requested, held)
    return part


def _too_wide(description: str, requested: str, allowed: str) -> InvalidScope:
    return InvalidScope(description, rule="RF-02", case="E91", presented=requested, expected=allowed)
