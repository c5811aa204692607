"""JSON that has one meaning only: no name twice, no NaN, UTF-8 (RFC 8259 §4, §8.1)."""

import json
from typing import Any


def parse_json(body: bytes) -> Any:
    """What it says. Raises ValueError."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
