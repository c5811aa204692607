"""Failures of names at the sign-in: counted alike whether somebody has the name or not, so that a pause tells nobody.

The names of a network share GROUPS rows; which of them share one only we know, as the digest is keyed, and it is others
in every network and on every day. The row alone says who waits, so a name that somebody has waits for others of its
group as an invented one does, and its failures make those wait. Each name has a row beside it, invented ones one for
the whole group: what its success forgets.
"""

from django.utils.crypto import salted_hmac

from accounts import rate_limit
from smart.http.addresses import caller_network
from smart.time_units import DAY

GROUPS = 65_536


def seconds_to_wait(name: str, address: str, *, now: int) -> int:
    """The seconds to wait before a try with this name is looked at, else 0. Counts nothing."""
    return rate_limit.seconds_to_wait("account group", _group(name, address, now=now), address, now=now)


def count_failure(name: str, address: str, *, exists: bool, now: int) -> int:
    """Counts one failure. The seconds to wait if it was one too many, else 0."""
    group = _group(name, address, now=now)
    counted = rate_limit.count("account group", group, address, now=now)
    kind, named = _own(name, group, exists=exists)  # as much work for an invented one: the time tells nothing either
    rate_limit.count(kind, named, address, now=now, ends_at=counted.window_ends_at)
    return rate_limit.failure_wait(counted, now=now)


def has_failures_of_others(name: str, address: str, *, exists: bool, now: int) -> bool:
    """Whether the group of this name has counted more than its own failures."""
    group = _group(name, address, now=now)
    of_all = rate_limit.current_count("account group", group, address, now=now)
    kind, named = _own(name, group, exists=exists)
    return of_all.number > rate_limit.current_count(kind, named, address, now=now).number


def forget_failures(name: str, address: str, *, now: int) -> None:
    """A success forgets the failures of this name; those of others in its group still count."""
    group = _group(name, address, now=now)
    kind, named = _own(name, group, exists=True)
    rate_limit.forget_failures(kind, named, address, counted_in=("account group", group))


def _own(name: str, group: str, *, exists: bool) -> tuple[rate_limit.Kind, str]:
    return ("account", f"{group} {name}") if exists else ("invented account", group)


def _group(name: str, address: str, *, now: int) -> str:
    """Another one in each network and on each day (UTC): no two names share it everywhere or for long."""
    day = now // DAY
    shared = f"{caller_network(address)}\0{day}\0{name}".encode("utf-8", "replace")
    digest = salted_hmac("the group of a user name", shared, algorithm="sha256").digest()
    return f"{day} {int.from_bytes(digest[:4]) % GROUPS}"
