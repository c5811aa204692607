"""What a check finds, and what a check is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and what somebody does about it: a sentence each."""

    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Check:
    """`name` is for scripts, `title` says what is right where nothing is found."""

    name: str
    title: str
    find: Callable[[], Iterable[Problem]]
    is_of_production: bool = False
    needs_tables: bool = False
    needs_https: bool = False
