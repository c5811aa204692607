"""Failures of names at the sign-in: counted alike whether somebody has the name or not, so that a pause tells nobody.

The names of a network share GROUPS rows; which of them share one only we know, as the digest is keyed. The row alone
says who waits, so a name that somebody has waits for others of its group as an invented one does, and its failures
make those wait. Each name has a row beside it, invented ones one for the whole group: what its success forgets.
"""

from django.utils.crypto import salted_hmac

from accounts import rate_limit

GROUPS = 4096


def seconds_to_wait(name: str, address: str, *, now: int) -> int:
    """The seconds to wait before a try with this name is looked at, else 0. Counts nothing."""
    return rate_limit.seconds_to_wait("account group", _group(name), address, now=now)


def count_failure(name: str, address: str, *, exists: bool, now: int) -> int:
    """Counts one failure. The seconds to wait if it was one too many, else 0."""
    group = _group(name)
    counted = rate_limit.count("account group", group, address, now=now)
    if exists:
        rate_limit.count("account", name, address, now=now, ends_at=counted.window_ends_at)
    else:  # as much work, so that the time tells nothing either
        rate_limit.count("invented account", group, address, now=now, ends_at=counted.window_ends_at)
    return rate_limit.failure_wait(counted, now=now)


def forget_failures(name: str, address: str) -> None:
    """A success forgets the failures of this name; those of others in its group still count."""
    rate_limit.forget_failures("account", name, address, counted_in=("account group", _group(name)))


def _group(name: str) -> str:
    digest = salted_hmac("the group of a user name", name.encode("utf-8", "replace"), algorithm="sha256").digest()
    return str(int.from_bytes(digest[:4]) % GROUPS)
