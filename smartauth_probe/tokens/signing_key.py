"""A private RSA key in a file, and JWTs signed with it: plain Python, for keys that sign nothing but tests."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from smartauth_probe.entries import Unreadable

ALGORITHM = "RS256"
TYPE = "at+jwt"  # RFC 9068 §2.1
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # of SHA-256, RFC 8017 §9.2
NEEDED = "a private RSA key as a JWK (RFC 7517), or a set with one"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`size` is the length of a signature in bytes."""

    modulus: int = field(repr=False)
    exponent: int = field(repr=False)
    kid: str = ""

    @property
    def size(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    @property
    def header(self) -> dict[str, Any]:
        """Of a good access token."""
        return {"alg": ALGORITHM, "typ": TYPE, **({"kid": self.kid} if self.kid else {})}

    def signature(self, signed: str) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3)."""
        digest = DIGEST_INFO + sha256(signed.encode()).digest()
        padded = b"\0\1" + b"\xff" * (self.size - len(digest) - 3) + b"\0" + digest
        return pow(int.from_bytes(padded), self.exponent, self.modulus).to_bytes(self.size)


def compact(claims: Mapping[str, Any], key: SigningKey) -> str:
    """The JWT in its compact form (RFC 7515 §7.1)."""
    first = f"{part(json.dumps(key.header))}.{part(json.dumps(claims))}"
    return f"{first}.{part(key.signature(first))}"


def part(content: str | bytes) -> str:
    encoded = content.encode() if isinstance(content, str) else content
    return urlsafe_b64encode(encoded).rstrip(b"=").decode()


def content(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def read_signing_key(file: Path) -> SigningKey:
    """The first private RSA key of the file. Raises Unreadable."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        keys = found.get("keys", [found])
        members = next(each for each in keys if each.get("kty") == "RSA" and "d" in each)
        modulus, exponent = (int.from_bytes(content(members[name])) for name in ("n", "d"))
    except OSError as problem:
        raise Unreadable(f"{file} cannot be read: {problem.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration, RecursionError):
        raise Unreadable(f"{file} does not hold {NEEDED}") from None
    if modulus.bit_length() < 2048 or not exponent:  # RFC 7518 §3.3
        raise Unreadable(f"{file} does not hold {NEEDED}, of 2048 bits or more")
    return SigningKey(modulus, exponent, str(members.get("kid") or ""))
