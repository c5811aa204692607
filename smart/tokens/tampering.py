"""What a token that is none of ours tells about one of ours: which it copies, whether its sender held it (SD-07)."""

import base64
import json
import re
from itertools import pairwise
from typing import Any

from smart.digests import sha256_hex
from smart.http.bearer import MAX_TOKEN
from smart.text import is_printable_ascii

MAX_PARTS = 8

_STRAY = re.compile(r"[^A-Za-z0-9_-]")


def parts(token: str) -> tuple[str, ...]:
    """The parts between the dots as we would write them: padding, white space and stray bits change nothing they say.

    () for what is far from the form of a JWT.
    """
    found = token.split(".") if len(token) <= MAX_TOKEN else []
    return tuple(map(_canonical, found)) if 3 <= len(found) <= MAX_PARTS else ()


def jti(found: tuple[str, ...]) -> str:
    """The jti that the payload names, or another part when parts were put around it; "" if there is none."""
    for part in (*found[1:], *found[:1]):
        content = _json(part)
        name = content.get("jti") if isinstance(content, dict) else None
        if isinstance(name, str) and is_printable_ascii(name):
            return name
    return ""


def evidence(found: tuple[str, ...], *, signed_digest: str, signature_digest: str) -> str:
    """What shows that the sender held the original: parts that nobody has who has not seen it. "" if nothing does."""
    if any(sha256_hex(f"{one}.{next_}") == signed_digest for one, next_ in pairwise(found)):
        return "another signature under our header and payload"
    if any(sha256_hex(part) == signature_digest for part in found):
        return "our signature under another header or payload"
    return ""


def algorithm(found: tuple[str, ...]) -> str:
    """The algorithm that the header names; "" if it is none."""
    named = header(found).get("alg")
    return named if isinstance(named, str) else ""


def header(found: tuple[str, ...]) -> dict[str, Any]:
    """The header; empty where the first part is none."""
    members = _json(found[0])
    return members if isinstance(members, dict) else {}


def payload(found: tuple[str, ...]) -> Any:
    """What the second part says as JSON, None where it says nothing."""
    return _json(found[1]) if len(found) == 3 else None


def payload_text(found: tuple[str, ...]) -> bytes:
    """The second part as it was written."""
    return _decode(found[1]) if len(found) > 1 else b""


def signature_length(found: tuple[str, ...]) -> int:
    """How many bytes the last part has."""
    return len(_decode(found[-1])) if found else 0


def _canonical(part: str) -> str:
    return base64.urlsafe_b64encode(_decode(part)).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    kept = _STRAY.sub("", part.replace("+", "-").replace("/", "_"))
    whole = kept[:-1] if len(kept) % 4 == 1 else kept  # six bits alone are no byte
    return base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))


def _json(part: str) -> Any:
    try:
        return json.loads(_decode(part))
    except (ValueError, RecursionError):
        return None
