"""JSON as tokens and their answers carry it: compact and in ASCII, for not every client decodes UTF-8 (WF-17)."""

import json
from typing import Any

import orjson

_escaped = json.JSONEncoder(separators=(",", ":")).encode


def ascii_json(value: Any) -> bytes:
    """As the standard library writes it, in a tenth of the time where it is ASCII and no number has over 64 bits."""
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _escaped(value).encode()
    return text if text.isascii() else _escaped(value).encode()
