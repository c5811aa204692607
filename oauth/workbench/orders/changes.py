"""What is wanted otherwise in a good token, as JSON says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oauth.workbench.orders.order import InvalidOrder
from smart.http import strict_json
from smart.text import ascii_excerpt

LONGEST = 315_360_000  # seconds: ten years


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Claims set and taken away, members of the header, seconds to live (0: as usual)."""

    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    header: dict[str, Any] = field(default_factory=dict)
    lifetime: int = 0

    def __bool__(self) -> bool:
        return bool(self.claims or self.without or self.header or self.lifetime)

    @property
    def are_of_content(self) -> bool:
        return bool(self.claims or self.without or self.header)


def parse_changes(asked: Mapping[str, Any]) -> Changes:
    """From the members `claims`, `without`, `header` and `lifetime`. Raises InvalidOrder."""
    without = asked.get("without", [])
    if not isinstance(without, list) or not all(isinstance(name, str) for name in without):
        raise InvalidOrder("It takes a list of the names of claims.", "without")
    return Changes(
        claims=_object(asked, "claims"),
        without=tuple(without),
        header=_object(asked, "header"),
        lifetime=_lifetime(asked.get("lifetime")),
    )


def parse_member(text: str, name: str) -> tuple[str, Any]:
    """A member of `name`, written as NAME=JSON. Raises InvalidOrder."""
    member, equals, value = text.partition("=")
    try:
        if member and equals:
            return member, strict_json.loads(value)
    except ValueError:
        pass
    raise InvalidOrder(f"{ascii_excerpt(text)} is not NAME=JSON; a text as JSON has quotes.", name)


def _object(asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = asked.get(name, {})
    if not isinstance(found, dict):
        raise InvalidOrder("It takes a JSON object.", name)
    return found


def _lifetime(seconds: Any) -> int:
    if seconds is None:
        return 0
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= LONGEST:
        raise InvalidOrder(f"It takes a number of seconds from 1 to {LONGEST}.", "lifetime")
    return seconds
