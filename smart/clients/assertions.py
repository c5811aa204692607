"""Client assertions (private_key_jwt): what one must say and which key may have signed it (CL-04, CL-05, CL-07, CL-08).

Every refusal lists the rules that the assertion breaks, all at once (WF-06).
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

from smart.clients.jwk import may_verify
from smart.explanation import Why
from smart.http import strict_json
from smart.metadata import ASSERTION_ALGORITHMS
from smart.text import is_printable_ascii
from smart.time_units import SECOND

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LENGTH = 8192
MAX_JTI_LENGTH = 256
MAX_LIFE_SECONDS = 300
SKEW_SECONDS = 60
_FITS = {"RS384": ("RSA", None), "ES384": ("EC", "P-384")}
_REGISTRY = JWSRegistry(algorithms=ASSERTION_ALGORITHMS, strict_check_header=False)  # unknown members are ignored
_REGISTRY.max_header_length = MAX_LENGTH
_TIMES = ("CL-13", "E70")
_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class InvalidAssertion(ValueError):
    """Why an assertion proves nothing: the rules that it breaks, in words that hold no value of it, and how the first
    of them is explained.
    """

    def __init__(self, *rules: str, rule: str = "CL-04", case: str = "E60") -> None:
        super().__init__("; ".join(rules))
        self.rules = rules
        self.why: Why = {"rule": rule, "case": case}


class UnknownKey(InvalidAssertion):
    """The client's keys, as they are known here, hold none of that kid."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A signed text with its header and claims. Nothing of it is believed before `verify_signature`."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def client_id(self) -> str:
        """Who it says sends it, "" where that is no client_id (they are of visible ASCII characters)."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) and is_printable_ascii(issuer) else ""

    @property
    def jti(self) -> str:
        return str(self.claims["jti"])

    @property
    def unusable_at(self) -> int:
        """From when on it would be refused as too old, in microseconds."""
        return int((self.claims["exp"] + SKEW_SECONDS) * SECOND) + 1


def parse_assertion(text: str) -> Assertion:
    """The parts of a JWS in compact form (E60). Raises InvalidAssertion."""
    parts = text.split(".")
    if len(text) > MAX_LENGTH:
        raise InvalidAssertion(f"the assertion is longer than {MAX_LENGTH} characters")
    if len(parts) != 3 or not all(parts):
        raise InvalidAssertion("the assertion is not a signed JWS in compact form: header.payload.signature")
    header, claims, _ = (_decode(part) for part in parts)
    return Assertion(text, _parse_object(header, "header"), _parse_object(claims, "payload"))


def validate_assertion(
    assertion: Assertion, *, kind: str | None, client_id: str | None, audiences: Iterable[str], now: int
) -> None:
    """Holds the assertion against every rule that needs no key. Raises InvalidAssertion with all that are broken."""
    found = [
        *_violations((kind == ASSERTION_TYPE, f"client_assertion_type is not {ASSERTION_TYPE}", "CL-09", "E59")),
        *_header_rules(assertion.header),
        *_party_rules(assertion, client_id, frozenset(audiences)),
        *_time_rules(assertion.claims, now / SECOND),
        *_jti_rules(assertion.claims.get("jti")),
    ]
    if found:
        raise InvalidAssertion(*(one.words for one in found), rule=found[0].rule, case=found[0].case)


def matching_key(assertion: Assertion, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one key of the set that has the kid and fits the algorithm (CL-08). Raises InvalidAssertion or UnknownKey."""
    algorithm = assertion.header["alg"]
    kty, curve = _FITS[algorithm]
    named = [key for key in keys if key.get("kid") == assertion.header["kid"]]
    if not named:
        raise UnknownKey("the client has no key of that kid", rule="CL-08", case="E64")
    fitting = [key for key in named if key.get("kty") == kty]
    if not fitting:
        words = f"the key of that kid is not of type {kty}, which {algorithm} needs"
        raise InvalidAssertion(words, rule="CL-08", case="E63")
    if len(fitting) > 1:
        raise InvalidAssertion("the client has several keys of that kid and type", rule="CL-08", case="E64")
    if not may_verify(fitting[0], algorithm) or fitting[0].get("crv") != curve:
        words = f"the key of that kid is not for signatures with {algorithm}"
        raise InvalidAssertion(words, rule="CL-05", case="E63")
    return fitting[0]


def verify_signature(assertion: Assertion, key: Mapping[str, Any]) -> None:
    """Raises InvalidAssertion unless that key signed it, by the algorithm that it names and that fits (SB-10)."""
    try:
        public = (RSAKey if key["kty"] == "RSA" else ECKey).import_key(dict(key))
        deserialize_compact(assertion.text, public, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError) as error:  # joserfc raises all of them on odd input
        words = f"the signature does not verify with the key of that kid ({type(error).__name__})"
        raise InvalidAssertion(words, rule="CL-05", case="E74") from None


class _Violation(NamedTuple):
    words: str
    rule: str
    case: str


def _header_rules(header: Mapping[str, Any]) -> list[_Violation]:
    kid = header.get("kid")
    return _violations(
        (
            header.get("alg") in ASSERTION_ALGORITHMS,
            f"alg is not one of {', '.join(ASSERTION_ALGORITHMS)}",
            "CL-05",
            "E62" if str(header.get("alg")).startswith("HS") else "E61",
        ),
        (isinstance(kid, str) and kid != "", "kid is missing", "CL-08", "E64"),
        (header.get("typ", "JWT") == "JWT", "typ is something else than JWT", "CL-04", "E67"),
        ("crit" not in header, "crit names an extension, and this server understands none", "CL-04", "E67"),
    )


def _party_rules(assertion: Assertion, client_id: str | None, audiences: frozenset[str]) -> list[_Violation]:
    issuer, audience = assertion.client_id, assertion.claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    return _violations(
        (issuer != "", "iss is not a client_id", "CL-04", "E68"),
        (assertion.claims.get("sub") == assertion.claims.get("iss"), "sub is not iss", "CL-04", "E68"),
        (client_id in (None, issuer), "client_id is not iss", "CL-07", "E55"),
        (
            bool(named) and all(isinstance(one, str) and one in audiences for one in named),
            f"aud is not one of {', '.join(sorted(audiences))}",
            "CL-14",
            "E69",
        ),
    )


def _time_rules(claims: Mapping[str, Any], now: float) -> list[_Violation]:
    """CL-13, to the second of skew."""
    until = claims.get("exp")
    rules = [_Violation("exp is missing or not a number", *_TIMES)]
    if _is_time(until):
        rules = _violations(
            (until + SKEW_SECONDS > now, "exp is past", *_TIMES),
            (
                until <= now + MAX_LIFE_SECONDS + SKEW_SECONDS,
                f"exp is more than {MAX_LIFE_SECONDS} seconds ahead",
                *_TIMES,
            ),
        )
    for name in ("nbf", "iat"):
        begun = claims.get(name, now)
        if not _is_time(begun):
            rules.append(_Violation(f"{name} is not a number", *_TIMES))
        elif begun > now + SKEW_SECONDS:
            rules.append(_Violation(f"{name} is in the future", *_TIMES))
    return rules


def _jti_rules(jti: Any) -> list[_Violation]:
    usable = isinstance(jti, str) and 0 < len(jti) <= MAX_JTI_LENGTH
    return _violations((usable, f"jti is not a text of 1 to {MAX_JTI_LENGTH} characters", "CL-04", "E71"))


def _violations(*rules: tuple[Any, str, str, str]) -> list[_Violation]:
    return [_Violation(words, rule, case) for kept, words, rule, case in rules if not kept]


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decode(part: str) -> bytes:
    """Base64url as RFC 7515 §2 writes it: without padding, without anything else."""
    try:
        if not _BASE64URL.issuperset(part):
            raise ValueError
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise InvalidAssertion("a part of the assertion is not base64url") from None


def _parse_object(raw: bytes, name: str) -> dict[str, Any]:
    try:
        found = strict_json.loads(raw)
    except ValueError:
        raise InvalidAssertion(f"the {name} of the assertion is not JSON with each member once") from None
    if not isinstance(found, dict):
        raise InvalidAssertion(f"the {name} of the assertion is not a JSON object")
    return found
