"""JWK sets of clients: which may be registered (RG-04), and which keys of a set that was fetched may be used (E101)."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from smart.clients.jwk import has_secret_part, key_problem, proves_a_client, public_members, shape_problem
from smart.http import strict_json
from smart.text import ascii_excerpt

MAX_LENGTH = 65_536
MAX_KEYS = 20
MAX_FETCHED_LENGTH = 262_144
MAX_FETCHED_KEYS = 100


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
    """The keys of a JWK set that may be registered. Raises InvalidKeys."""
    return _registrable(_parse(text, longest=MAX_LENGTH, most=MAX_KEYS))


def parse_fetched_jwks(text: bytes) -> tuple[PublicKey, ...]:
    """The keys of a JWK set that was fetched, if every one of them is as it should be. Raises InvalidKeys."""
    return _registrable(_parse(text, longest=MAX_FETCHED_LENGTH, most=MAX_FETCHED_KEYS))


def usable_keys(text: str | bytes) -> UsableKeys:
    """What of a JWK set may be used: a bad key takes no other with it. Raises InvalidKeys where it is no set at all."""
    found = _parse(text, longest=MAX_FETCHED_LENGTH, most=MAX_FETCHED_KEYS, least=0)
    keys = tuple(public_members(key) for key in found if not shape_problem(key))
    return UsableKeys(keys, sum(isinstance(key, dict) and has_secret_part(key) for key in found))


def _parse(text: str | bytes, *, longest: int, most: int, least: int = 1) -> list[Any]:
    if len(text) > longest:
        raise InvalidKeys(f"It is longer than {longest} characters.")
    try:
        found = strict_json.loads(text)
    except strict_json.DuplicateMember:
        raise InvalidKeys("It has a member twice in one object.") from None
    except ValueError:
        raise InvalidKeys("It is not JSON.") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not least <= len(keys) <= most:
        raise InvalidKeys(f'It is not a JWK set: {{"keys": [...]}} with {least} to {most} keys.')
    return keys


def _registrable(keys: list[Any]) -> tuple[PublicKey, ...]:
    if problems := [*_key_problems(keys), *_repeated_kids(keys)]:
        raise InvalidKeys(*problems)
    if not any(map(proves_a_client, keys)):
        raise InvalidKeys(
            "None of these keys can prove a client here: it takes RSA for RS384 or EC on P-384 for ES384."
        )
    return tuple(PublicKey(key["kid"], key["kty"], str(key.get("alg", ""))) for key in keys)


def _key_problems(keys: list[Any]) -> list[str]:
    problems = ((_key_name(key, place), key_problem(key)) for place, key in enumerate(keys, start=1))
    return [f"{name} {problem}." for name, problem in problems if problem]


def _repeated_kids(keys: list[Any]) -> list[str]:
    kids = Counter(key["kid"] for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str))
    return [f"The kid {ascii_excerpt(kid, 80)} is there twice." for kid, count in kids.items() if count > 1]


def _key_name(key: Any, place: int) -> str:
    kid = key.get("kid") if isinstance(key, dict) else None
    return f"Key {ascii_excerpt(kid, 80)}" if isinstance(kid, str) and kid else f"Key number {place}"
