"""A resource as text whose top members can be replaced, so that everything else stays as it was written: 72.50 too."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

_SPACE = " \t\r\n"
_decoder = json.JSONDecoder()


def members(text: str) -> dict[str, str]:
    """The members of a JSON object, each value as it is written there. Raises ValueError for what is no object."""
    found: dict[str, str] = {}
    place = _skip(text, 0)
    if text[place : place + 1] != "{":
        raise ValueError("no JSON object")
    place = _skip(text, place + 1)
    while text[place : place + 1] != "}":
        name, place = _decoder.raw_decode(text, place)
        start = _skip(text, _skip(text, place) + 1)
        _, end = _decoder.raw_decode(text, start)
        found[name] = text[start:end]
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
    return found


def items(text: str) -> list[str]:
    """The items of a JSON array, each as it is written there. Raises ValueError for what is no array."""
    found: list[str] = []
    place = _skip(text, 0)
    if text[place : place + 1] != "[":
        raise ValueError("no JSON array")
    place = _skip(text, place + 1)
    while text[place : place + 1] != "]":
        _, end = _decoder.raw_decode(text, place)
        found.append(text[place:end])
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
    return found


def joined(parts: Mapping[str, str]) -> str:
    """The object of these members."""
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in parts.items()) + "}"


def with_members(text: str, new: Mapping[str, Any]) -> str:
    """The object with these members in place of its own of that name, or behind the first."""
    parts = members(text)
    head = {"resourceType": parts.pop("resourceType")} if "resourceType" in parts else {}
    written = {name: dumps(value) for name, value in new.items()}
    return joined({**head, **written, **{name: value for name, value in parts.items() if name not in written}})


def only_members(text: str, names: Iterable[str]) -> str:
    """The object without the members of other names."""
    kept = frozenset(names)
    return joined({name: value for name, value in members(text).items() if name in kept})


def loads(text: str) -> Any:
    """The value with decimals as precise as they were written."""
    return json.loads(text, parse_float=Decimal)


def dumps(value: Any) -> str:
    """The JSON of a value that may hold decimals, with all their digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return joined({name: dumps(item) for name, item in value.items()})
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value)


def _skip(text: str, place: int) -> int:
    while text[place : place + 1] in _SPACE and place < len(text):
        place += 1
    return place
