"""How long things live (SD-04, AZ-17, EL-02, PR-08). Nothing configured passes the hard bounds."""

ACCESS_TOKEN_BOUND = 3600
BACKEND_TOKEN_BOUND = 300
CODE_BOUND = 600
LAUNCH_BOUND = 300


def access_token_seconds(*configured: int | None, default: int = 300, bound: int = ACCESS_TOKEN_BOUND) -> int:
    """The shortest of what is configured, 0 or None meaning nothing, else the default; never above the bound."""
    wanted = [seconds for seconds in configured if seconds] or [default]
    return max(1, min(*wanted, bound, ACCESS_TOKEN_BOUND))


def backend_token_seconds(
    *configured: int | None, default: int = BACKEND_TOKEN_BOUND, bound: int = ACCESS_TOKEN_BOUND
) -> int:
    """The same for a client without a person: five minutes at most (Backend Services, TR-04)."""
    return access_token_seconds(*configured, default=default, bound=min(bound, BACKEND_TOKEN_BOUND))


def code_seconds(configured: int = 60) -> int:
    """How long a code may wait for its exchange: ten minutes at most (RFC 6749 §4.1.2)."""
    return max(1, min(configured, CODE_BOUND))


def launch_seconds(configured: int = LAUNCH_BOUND) -> int:
    """How long a launch handle may wait for its app: five minutes at most (EL-02)."""
    return max(1, min(configured, LAUNCH_BOUND))


def is_expired(now: int, expires_at: int) -> bool:
    """Alive while now < exp, dead from exp on; both in the same unit."""
    return now >= expires_at
