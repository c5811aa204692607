"""JWK sets of clients: which may be registered (RG-04), and which keys of a set that was fetched may be used (E101)."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

MAX_LENGTH = 65_536
MAX_KEYS = 20
MAX_FETCHED_LENGTH = 262_144
MAX_FETCHED_KEYS = 100
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_ABOUT = ("kid", "kty", "use", "alg", "key_ops")
_CURVES = ("P-256", "P-384", "P-521")
_SMALLEST_MODULUS = 342  # base64url characters of 2048 bits


class InvalidKeys(ValueError):
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


class UsableKeys(NamedTuple):
    """The keys of a set that may verify something, public members only, and how many private and shared ones it had."""

    keys: tuple[dict[str, Any], ...]
    secret: int


def read_registered(text: str | bytes) -> tuple[PublicKey, ...]:
    """The keys of a JWK set that may be registered. Raises UnfitKeys."""
    return _fit(_set(text, longest=MAX_LENGTH, most=MAX_KEYS))


def parse_fetched_jwks(text: bytes) -> tuple[PublicKey, ...]:
    """The keys of a JWK set that was fetched, if every one of them is as it should be. Raises UnfitKeys."""
    return _fit(_set(text, longest=MAX_FETCHED_LENGTH, most=MAX_FETCHED_KEYS))


def usable_keys(text: str | bytes) -> UsableKeys:
    """What of a JWK set may be used: a bad key takes no other with it. Raises UnfitKeys where it is no set at all."""
    found = _set(text, longest=MAX_FETCHED_LENGTH, most=MAX_FETCHED_KEYS, least=0)
    fit = tuple(_public_members(key) for key in found if not _unfit(key))
    return UsableKeys(fit, sum(isinstance(key, dict) and _secret(key) for key in found))


def _set(text: str | bytes, *, longest: int, most: int, least: int = 1) -> list[Any]:
    if len(text) > longest:
        raise InvalidKeys(f"It is longer than {longest} characters.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidKeys("It is not JSON.") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not least <= len(keys) <= most:
        raise InvalidKeys(f'It is not a JWK set: {{"keys": [...]}} with {least} to {most} keys.')
    return keys


def _fit(keys: list[Any]) -> tuple[PublicKey, ...]:
    if problems := [*_each(keys), *_twice(keys)]:
        raise InvalidKeys(*problems)
    if not any(map(_signs_assertions, keys)):
        raise InvalidKeys(
            "None of these keys can prove a client here: it takes RSA for RS384 or EC on P-384 for ES384."
        )
    return tuple(PublicKey(key["kid"], key["kty"], str(key.get("alg", ""))) for key in keys)


def _signs_assertions(key: dict[str, Any]) -> bool:
    """Whether assertions signed with it may be accepted (CL-05)."""
    algorithm = "RS384" if key["kty"] == "RSA" else "ES384" if key["crv"] == "P-384" else ""
    return bool(algorithm) and key.get("alg", algorithm) == algorithm


def _public_members(key: dict[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in (*_ABOUT, *_PUBLIC[key["kty"]]) if name in key}


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
    if _secret(key):
        return "holds a private or shared key; only public keys may be registered. Treat it as stolen"
    public = _PUBLIC.get(key["kty"]) if isinstance(key.get("kty"), str) else None
    if public is None:
        return "has no kty of RSA or EC"
    if not _texts(key, "kid"):
        return "has no kid"
    if not _texts(key, *public):
        return f"lacks {', '.join(public)}"
    return _weak(key)


def _secret(key: dict[str, Any]) -> bool:
    return any(member in key for member in _PRIVATE) or key.get("kty") == "oct"


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
