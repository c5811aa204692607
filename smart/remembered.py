"""Results of pure functions, remembered: of what every request asks again, such as what a client's scopes come to."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

MOST, LONGEST = 1024, 2000
_emptied: list[Callable[[], None]] = []


def remembered_until_forgotten(function: Callable[P, R], most: int = MOST) -> Callable[P, R]:
    """The same function, which remembers its last results until `forget` is called; its arguments have a bound."""
    known = lru_cache(most)(function)
    _emptied.append(known.cache_clear)
    return cast(Callable[P, R], known)


def forget_too(empty: Callable[[], None]) -> None:
    """`forget` calls this as well: what else a process keeps of people."""
    _emptied.append(empty)


def forget() -> None:
    """Empties all that is remembered in this process: of some of it people are the subject (PR-07)."""
    for empty in _emptied:
        empty()


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which remembers its last results; everything that decides must be among its arguments.

    Strangers choose some of these, so what is remembered has a bound: results of long texts are not.
    """
    known = remembered_until_forgotten(function)

    @wraps(function)
    def look_up(*args: P.args, **kwargs: P.kwargs) -> R:
        for value in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(value, str) and len(value) > LONGEST:
                return function(*args, **kwargs)
        return known(*args, **kwargs)

    return look_up
