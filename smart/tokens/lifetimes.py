"""How long things live (SD-04, AZ-17, EL-02, PR-08). The bounds are hard: a server whose settings pass them refuses to
start."""

from smart.time_units import CLOCK_SKEW, SECOND

ACCESS_TOKEN_BOUND = 3600
BACKEND_TOKEN_BOUND = 300
CODE_BOUND = 600
LAUNCH_BOUND = 300


def access_token_seconds(*configured: int | None, default: int, bound: int) -> int:
    """The shortest of what is configured, 0 or None meaning nothing, else the default; never above the bound."""
    wanted = [seconds for seconds in configured if seconds] or [default]
    return min(*wanted, bound)


def backend_token_seconds(*configured: int | None, default: int, bound: int) -> int:
    """The same for a client without a person: five minutes at most (Backend Services, TR-04)."""
    return access_token_seconds(*configured, default=default, bound=min(bound, BACKEND_TOKEN_BOUND))


def ends_of_live_tokens(now: int) -> tuple[int, int]:
    """Between which two moments an access token expires that lives now, both included; microseconds."""
    return now, now + ACCESS_TOKEN_BOUND * SECOND + CLOCK_SKEW


def is_expired(now: int, expires_at: int) -> bool:
    """Alive while now < exp, dead from exp on; both in the same unit."""
    return now >= expires_at
