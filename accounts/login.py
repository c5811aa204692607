"""Whether somebody may come in: the password, the limit on failures, and whether the account is suspended."""

from dataclasses import dataclass, replace
from typing import Literal

from accounts import name_failures
from accounts.models import User
from accounts.password_hasher import RETRY_SECONDS, TooManyHashes, hashing_for
from accounts.usernames import find_user, normalize_username

LONGEST_PASSWORD = 1024
LONGEST_TYPED = 150
SHARED_COUNT = "the count is shared: other names failed too"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try. `user` is the person of that name, proved only if the result says so; `wait` in seconds."""

    result: Literal["right", "wrong", "rate-limited", "suspended", "busy"]
    name: str
    address: str
    user: User | None = None
    wait: int = 0
    shares_count: bool = False

    @property
    def reason(self) -> str:
        """What its event says beyond the kind."""
        if self.result == "suspended":
            return "suspended"
        return SHARED_COUNT if self.shares_count else ""

    @property
    def counts(self) -> bool:
        """Whether it was looked at: a try while the account is paused, or the server busy, changes nothing."""
        return not self.wait


def attempt(name: str, password: str, address: str, *, now: int) -> Attempt:
    """One try to sign in. An unknown name takes the same time and gets the same answer as a wrong password."""
    typed = name[: LONGEST_TYPED + 1]  # a few characters of Unicode become many when they are normalised
    name = normalize_username(typed)
    user = find_user(typed)
    wait = name_failures.seconds_to_wait(name, address, now=now)
    if wait:
        return Attempt("rate-limited", name, address, wait=wait)
    try:
        with hashing_for(address):
            proved = _has_password(user or User.nobody(), password)
    except TooManyHashes:
        return Attempt("busy", name, address, wait=RETRY_SECONDS)
    if not proved or user is None:
        return Attempt("wrong", name, address, user)
    return Attempt("suspended" if user.suspended_at else "right", name, address, user)


def apply_rate_limit(tried: Attempt, *, now: int) -> Attempt:
    """The try with its consequence, in the caller's transaction: a failure too many pauses the account."""
    if tried.result != "wrong":
        name_failures.forget_failures(tried.name, tried.address, now=now)
        return tried
    exists = tried.user is not None
    wait = name_failures.count_failure(tried.name, tried.address, exists=exists, now=now)
    if not wait:
        return tried
    shared = name_failures.has_failures_of_others(tried.name, tried.address, exists=exists, now=now)
    return replace(tried, result="rate-limited", wait=wait, shares_count=shared)


def _has_password(user: User, password: str) -> bool:
    return user.check_password(password[:LONGEST_PASSWORD]) and len(password) <= LONGEST_PASSWORD
