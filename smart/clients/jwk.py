"""One JSON Web Key of a client: why it may not be registered, and what it may verify (RFC 7517, RFC 7518 §6; RG-04)."""

from collections.abc import Mapping
from math import gcd, prod
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from smart.text import ascii_excerpt

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


def key_problem(key: Any) -> str:
    """Why it may not be registered: what it looks like, and whether the library can work with it."""
    return shape_problem(key) or _label_problem(key) or _number_problem(key)


def shape_problem(key: Any) -> str:
    """Why it is no public key for signatures, as far as its members tell, "" if it is one."""
    if not isinstance(key, dict):
        return "is not a JSON object"
    if has_secret_part(key):
        return "holds a private or shared key; only public keys may be registered. Treat it as stolen"
    public = _PUBLIC.get(key["kty"]) if isinstance(key.get("kty"), str) else None
    if public is None:
        return "has no kty of RSA or EC"
    if not _has_texts(key, "kid"):
        return "has no kid"
    if not _has_texts(key, *public):
        return f"lacks {', '.join(public)}"
    return _length_problem(key) or _purpose_problem(key)


def _length_problem(key: dict[str, Any]) -> str:
    """Numbers so long that to verify with them takes long, told by their texts: a letter is six bits."""
    if key["kty"] == "RSA" and 6 * len(key["e"]) > _MAX_EXPONENT_BITS + 15:
        return f"has an e of more than {_MAX_EXPONENT_BITS} bits"
    return ""


def has_secret_part(key: dict[str, Any]) -> bool:
    """Whether it tells what only its owner may know."""
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
    return "" if fits_type and on_curve else f"has the alg {ascii_excerpt(algorithm, 80)}, which is for no {kind}"


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


def proves_a_client(key: dict[str, Any]) -> bool:
    """Whether assertions signed with it may be accepted (CL-05)."""
    algorithm = "RS384" if key["kty"] == "RSA" else "ES384" if key["crv"] == "P-384" else ""
    return bool(algorithm) and may_verify(key, algorithm)


def may_verify(key: Mapping[str, Any], algorithm: str) -> bool:
    """Whether the key says of itself that it is for such signatures (RFC 7517 §4.2 to §4.4)."""
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and "verify" in operations
    )


def public_members(key: dict[str, Any]) -> dict[str, Any]:
    """The key without anything that is not for everybody."""
    return {name: key[name] for name in (*_ABOUT, *_PUBLIC[key["kty"]]) if name in key}
