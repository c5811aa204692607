"""JWK sets of clients: which may be registered (RG-04)."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

LONGEST = 65_536
MOST_KEYS = 20
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_CURVES = ("P-256", "P-384", "P-521")
_SMALLEST_MODULUS = 342  # base64url characters of 2048 bits


class UnfitKeys(ValueError):
    """Why a JWK set may not be registered: one sentence per problem, each naming the key."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What an operator compares: the name of a key, its type, and what it signs with."""

    kid: str
    kty: str
    alg: str


def read(text: str | bytes) -> tuple[PublicKey, ...]:
    """The keys of a JWK set that may be registered. Raises UnfitKeys."""
    if len(text) > LONGEST:
        raise UnfitKeys(f"It is longer than {LONGEST} characters.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise UnfitKeys("It is not JSON.") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MOST_KEYS:
        raise UnfitKeys(f'It is not a JWK set: {{"keys": [...]}} with 1 to {MOST_KEYS} keys.')
    if problems := [*_each(keys), *_twice(keys)]:
        raise UnfitKeys(*problems)
    return tuple(PublicKey(key["kid"], key["kty"], str(key.get("alg", ""))) for key in keys)


def _each(keys: list[Any]) -> list[str]:
    problems = ((_called(key, place), _unfit(key)) for place, key in enumerate(keys, start=1))
    return [f"{name} {problem}." for name, problem in problems if problem]


def _twice(keys: list[Any]) -> list[str]:
    kids = Counter(key["kid"] for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str))
    return [f"The kid {kid[:80]} is there twice." for kid, count in kids.items() if count > 1]


def _called(key: Any, place: int) -> str:
    kid = key.get("kid") if isinstance(key, dict) else None
    return f"Key {kid[:80]}" if isinstance(kid, str) and kid else f"Key number {place}"


def _unfit(key: Any) -> str:
    if not isinstance(key, dict):
        return "is not a JSON object"
    if any(member in key for member in _PRIVATE) or key.get("kty") == "oct":
        return "holds a private or shared key; only public keys may be registered. Treat it as stolen"
    public = _PUBLIC.get(key["kty"]) if isinstance(key.get("kty"), str) else None
    if public is None:
        return "has no kty of RSA or EC"
    if not _texts(key, "kid"):
        return "has no kid"
    if not _texts(key, *public):
        return f"lacks {', '.join(public)}"
    return _weak(key)


def _texts(key: dict[str, Any], *members: str) -> bool:
    return all(isinstance(key.get(member), str) and key[member] for member in members)


def _weak(key: dict[str, Any]) -> str:
    if key["kty"] == "RSA" and len(key["n"]) < _SMALLEST_MODULUS:
        return "is shorter than 2048 bits"
    if key["kty"] == "EC" and key["crv"] not in _CURVES:
        return f"has a curve other than {', '.join(_CURVES)}"
    if key.get("use", "sig") != "sig":
        return "is not for signing"
    return ""
