"""JWK sets of clients: which may be registered (RG-04), and which keys of a set that was fetched may be used (E101)."""

from collections import Counter
from dataclasses import dataclass
from math import gcd, prod
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from smart.clients.assertions import may_verify
from smart.http import strict_json

MAX_LENGTH = 65_536
MAX_KEYS = 20
MAX_FETCHED_LENGTH = 262_144
MAX_FETCHED_KEYS = 100
MAX_KID_LENGTH = 255
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_ABOUT = ("kid", "kty", "use", "alg", "key_ops")
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_ALGORITHMS = {"RSA": ("RS", "PS", "RSA"), "EC": ("ES", "ECDH-ES")}  # how the alg of such a key begins
_SMALLEST_MODULUS = 342  # base64url characters of 2048 bits
_MODULUS_BITS = range(2048, 16_385)  # what OpenSSL verifies with
_MAX_EXPONENT_BITS = 64
_SMALL_PRIMES = prod(n for n in range(3, 10_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


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
    keys = tuple(_public_members(key) for key in found if not _shape_problem(key))
    return UsableKeys(keys, sum(isinstance(key, dict) and _has_secret_part(key) for key in found))


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
    if not any(map(_proves_a_client, keys)):
        raise InvalidKeys(
            "None of these keys can prove a client here: it takes RSA for RS384 or EC on P-384 for ES384."
        )
    return tuple(PublicKey(key["kid"], key["kty"], str(key.get("alg", ""))) for key in keys)


def _proves_a_client(key: dict[str, Any]) -> bool:
    """Whether assertions signed with it may be accepted (CL-05)."""
    algorithm = "RS384" if key["kty"] == "RSA" else "ES384" if key["crv"] == "P-384" else ""
    return bool(algorithm) and may_verify(key, algorithm)


def _public_members(key: dict[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in (*_ABOUT, *_PUBLIC[key["kty"]]) if name in key}


def _key_problems(keys: list[Any]) -> list[str]:
    problems = ((_key_name(key, place), _problem(key)) for place, key in enumerate(keys, start=1))
    return [f"{name} {problem}." for name, problem in problems if problem]


def _repeated_kids(keys: list[Any]) -> list[str]:
    kids = Counter(key["kid"] for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str))
    return [f"The kid {_shown(kid)} is there twice." for kid, count in kids.items() if count > 1]


def _key_name(key: Any, place: int) -> str:
    kid = key.get("kid") if isinstance(key, dict) else None
    return f"Key {_shown(kid)}" if isinstance(kid, str) and kid else f"Key number {place}"


def _shown(text: str) -> str:
    return ascii(text)[1:-1][:80]


def _problem(key: Any) -> str:
    """Why it may not be registered: what it looks like, and whether the library can work with it."""
    return _shape_problem(key) or _label_problem(key) or _number_problem(key)


def _shape_problem(key: Any) -> str:
    if not isinstance(key, dict):
        return "is not a JSON object"
    if _has_secret_part(key):
        return "holds a private or shared key; only public keys may be registered. Treat it as stolen"
    public = _PUBLIC.get(key["kty"]) if isinstance(key.get("kty"), str) else None
    if public is None:
        return "has no kty of RSA or EC"
    if not _has_texts(key, "kid"):
        return "has no kid"
    if not _has_texts(key, *public):
        return f"lacks {', '.join(public)}"
    return _purpose_problem(key)


def _has_secret_part(key: dict[str, Any]) -> bool:
    return any(member in key for member in _PRIVATE) or key.get("kty") == "oct"


def _has_texts(key: dict[str, Any], *members: str) -> bool:
    return all(isinstance(key.get(member), str) and key[member] for member in members)


def _purpose_problem(key: dict[str, Any]) -> str:
    if key["kty"] == "RSA" and len(key["n"]) < _SMALLEST_MODULUS:
        return "is shorter than 2048 bits"
    if key["kty"] == "EC" and key["crv"] not in _CURVES:
        return f"has a curve other than {', '.join(_CURVES)}"
    if key.get("use", "sig") != "sig":
        return "is not for signing"
    return ""


def _label_problem(key: dict[str, Any]) -> str:
    """What kid and alg say must be said in characters that go everywhere, and must fit the type (RFC 7518 §3.1)."""
    if len(key["kid"]) > MAX_KID_LENGTH or not key["kid"].isprintable():
        return f"has a kid longer than {MAX_KID_LENGTH} characters, or with characters that cannot be printed"
    algorithm = key.get("alg", "")
    if not isinstance(algorithm, str):
        return "has an alg that is not text"
    fits_type = not algorithm or algorithm.startswith(_ALGORITHMS[key["kty"]])
    on_curve = not algorithm.startswith("ES") or key.get("crv") is None or algorithm == _CURVES[key["crv"]]
    kind = f"EC key on {key['crv']}" if key["kty"] == "EC" else "RSA key"
    return "" if fits_type and on_curve else f"has the alg {_shown(algorithm)}, which is for no {kind}"


def _number_problem(key: dict[str, Any]) -> str:
    """A signature could never be verified with numbers that the library does not take (RFC 7518 §6)."""
    try:
        if key["kty"] == "EC":
            ECKey.import_key(dict(key)).public_key.public_numbers()
            return ""
        return _rsa_problem(RSAKey.import_key(dict(key)).public_key.public_numbers())
    except (JoseError, ValueError, TypeError, OverflowError) as error:
        return f"cannot be used: {_reason(key, error)}"


def _rsa_problem(numbers: RSAPublicNumbers) -> str:
    if numbers.n.bit_length() not in _MODULUS_BITS:
        return f"is shorter than {_MODULUS_BITS[0]} bits, or longer than {_MODULUS_BITS[-1]}"
    if numbers.n % 2 == 0 or gcd(numbers.n, _SMALL_PRIMES) != 1:
        return "has an n that is no product of two large primes"
    if numbers.e.bit_length() > _MAX_EXPONENT_BITS:
        return f"has an e of more than {_MAX_EXPONENT_BITS} bits"
    return ""


def _reason(key: dict[str, Any], error: Exception) -> str:
    if isinstance(error, JoseError):
        return str(error.description or error.error)
    if key["kty"] == "EC":
        return f"x and y are no point on {key['crv']}"
    return "n and e are no RSA public key in base64url"
