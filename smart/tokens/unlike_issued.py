"""In which ways a JWT is unlike the access tokens that we issue, by what it says alone (RFC 9068 §2, RFC 8725 §3)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from smart.explanation import shown_text
from smart.http import strict_json

TYPE = "at+jwt"
NEVER_THERE = ("jwk", "jku", "x5c", "x5u", "crit")  # header parameters of no token of ours
SKEW = 60  # seconds


def unlike_header(header: Mapping[str, Any]) -> tuple[str, ...]:
    """Header parameters that no token of ours has, and those that each has."""
    found = tuple(f"its header has {name}" for name in NEVER_THERE if name in header)
    if "typ" not in header:
        return (*found, "its header has no typ")
    named = shown_text(json.dumps(header["typ"]))
    return found if header["typ"] == TYPE else (*found, f'typ is {named} and not "{TYPE}"')


def unlike_claims(payload: bytes, *, now: float, longest: int) -> tuple[str, ...]:
    """What is wrong with its claims as such; `longest` are the seconds that a token of ours lives at most."""
    try:
        claims = strict_json.loads(payload)
    except strict_json.DuplicateMember:
        return ("a claim stands in it twice",)
    except ValueError:
        return ("its claims are no strict JSON",)
    return tuple(_of_claims(claims, now, longest)) if isinstance(claims, dict) else ("its claims are no object",)


def _of_claims(claims: Mapping[str, Any], now: float, longest: int) -> Iterator[str]:
    yield from _of_expiry(claims, now + longest + SKEW)
    for name in ("iat", "nbf"):
        if _is_number(claims.get(name)) and claims[name] > now + SKEW:
            yield f"{name} lies in the future"
    if "aud" not in claims:
        yield "it has no aud"
    elif not isinstance(claims["aud"], str):
        yield "aud is no text"


def _of_expiry(claims: Mapping[str, Any], latest: float) -> Iterator[str]:
    if "exp" not in claims:
        yield "it has no exp, so that it would never end"
    elif not _is_number(claims["exp"]):
        yield "exp is no number"
    elif claims["exp"] < 0:
        yield "exp is negative"
    elif claims["exp"] > latest:
        yield "exp is later than that of any token of ours"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
