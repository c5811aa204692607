"""JSON that has one meaning only: no name twice, no NaN, UTF-8 (RFC 8259 §4, §8.1)."""

import json
import re
import secrets
from decimal import Decimal
from typing import Any


def parse_json(body: bytes) -> Any:
    """What it says, with numbers as precise as they were written. Raises ValueError."""
    text = body.decode("utf-8")
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse, parse_float=Decimal)
    except RecursionError:
        raise ValueError("nested too deep") from None


def to_json(content: Any) -> bytes:
    """The JSON of it; 1.50 stays 1.50 (FHIR datatypes, decimal). Raises TypeError for what JSON has not."""
    mark = secrets.token_hex(16)  # the library writes no decimal number but as text

    def marked(value: Any) -> str:
        if not isinstance(value, Decimal):
            raise TypeError(f"{type(value).__name__} is no JSON")
        return f"{mark}{value}"

    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(content, default=marked)).encode()


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
