"""Hooks for `json.loads` where loose JSON could mean two things: a member said twice, NaN and Infinity (RFC 8259)."""

from typing import Any, NoReturn


class DuplicateMember(ValueError):
    """A member of an object stands there twice."""


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members, for `object_pairs_hook`. Raises SaidTwice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateMember
    return found


def refuse_constant(name: str) -> NoReturn:
    """For `parse_constant`: what Python reads as a number and JSON does not know. Raises ValueError."""
    raise ValueError(f"{name} is no JSON")
