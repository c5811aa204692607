"""JSON that can mean one thing only: each member once, no NaN or Infinity, bounded depth (RFC 8259 §4, §6, §9)."""

import json
from typing import Any, NoReturn


class DuplicateMember(ValueError):
    """A member of an object was sent twice."""


def loads(text: str | bytes) -> Any:
    """What the JSON says. Raises DuplicateMember, or ValueError for anything else that is not strict JSON."""
    try:
        return _DECODER.decode(text if isinstance(text, str) else _decode(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _decode(text: bytes) -> str:
    return text.decode(json.detect_encoding(text), "surrogatepass")  # as json.loads does


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMember
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
