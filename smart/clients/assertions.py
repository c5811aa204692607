"""Client assertions (private_key_jwt, RFC 7523): how one is read, and which key may have signed it (CL-05, CL-08)."""

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

from smart.clients.jwk import may_verify
from smart.explanation import Why
from smart.http import strict_json
from smart.metadata import ASSERTION_ALGORITHMS
from smart.text import is_printable_ascii
from smart.time_units import SECOND

MAX_LENGTH = 8192
SKEW_SECONDS = 60
_FITS = {"RS384": ("RSA", None), "ES384": ("EC", "P-384")}
_REGISTRY = JWSRegistry(algorithms=ASSERTION_ALGORITHMS, strict_check_header=False)  # unknown members are ignored
_REGISTRY.max_header_length = MAX_LENGTH
_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class InvalidAssertion(ValueError):
    """Why an assertion proves nothing: the rules that it breaks, in words that hold no value of it, and how the first
    of them is explained.
    """

    def __init__(
        self, *rules: str, rule: str = "CL-04", case: str = "E60", presented: str = "", expected: str = ""
    ) -> None:
        super().__init__("; ".join(rules))
        self.rules = rules
        self.why: Why = {"rule": rule, "case": case, "presented": presented, "expected": expected}


class UnknownKey(InvalidAssertion):
    """The client's keys, as they are known here, hold none of that kid."""

    def with_refetch_delay(self, seconds: int) -> "UnknownKey":
        """The same of keys that are not fetched again so soon: for an app that signs with one just published (E103)."""
        words = f"{self}, as its keys were less than {seconds} seconds ago: try again later"
        presented, expected = self.why["presented"], self.why["expected"]
        return UnknownKey(words, rule="CL-11", case="E103", presented=presented, expected=expected)


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


def matching_key(assertion: Assertion, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one key of the set that has the kid and fits the algorithm (CL-08). Raises InvalidAssertion or UnknownKey."""
    algorithm = assertion.header["alg"]
    kty, curve = _FITS[algorithm]
    named = [key for key in keys if key.get("kid") == assertion.header["kid"]]
    if not named:
        kid = str(assertion.header["kid"])
        known = ", ".join(sorted(str(key["kid"]) for key in keys if "kid" in key)) or "no key"
        raise UnknownKey("the client has no key of that kid", rule="CL-08", case="E64", presented=kid, expected=known)
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
        public = _public_key(json.dumps(key, sort_keys=True))
        deserialize_compact(assertion.text, public, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError) as error:  # joserfc raises all of them on odd input
        words = f"the signature does not verify with the key of that kid ({type(error).__name__})"
        raise InvalidAssertion(words, rule="CL-05", case="E74") from None


@lru_cache(maxsize=256)
def _public_key(text: str) -> RSAKey | ECKey:
    """The key of this JWK, taken apart once."""
    key = json.loads(text)
    return (RSAKey if key["kty"] == "RSA" else ECKey).import_key(key)


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
