"""Proof keys, S256 only (RFC 7636, AZ-07, CG-02, CG-03)."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from smart.http.errors import InvalidGrant, InvalidRequest

BAD_VERIFIER = "code_verifier must be 43 to 128 unreserved characters"

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Whether it has the form of an S256 challenge."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str) -> bool:
    """Whether it has the form of a verifier (RFC 7636 §4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def s256_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def verify_code_verifier(stored_challenge: str, verifier: str) -> None:
    """The sender knows the verifier (RFC 7636 §4.6), none where there was no challenge (only plain OpenID Connect).

    Raises InvalidRequest for its form, InvalidGrant for its value.
    """
    if not (verifier or stored_challenge):
        return
    if not is_verifier(verifier):
        presented = f"{len(verifier)} characters"
        raise InvalidRequest(BAD_VERIFIER, rule="CG-02", case="E81", presented=presented)
    if not stored_challenge:
        reason = "the code was issued without a challenge (E83)"
        raise InvalidGrant("code_verifier does not match", event_reason=reason, rule="CG-03", case="E83")
    if not hmac.compare_digest(s256_challenge(verifier).encode("ascii"), stored_challenge.encode()):
        what = "the S256 of code_verifier is not the code_challenge of the authorization request"
        raise InvalidGrant("code_verifier does not match", what=what, rule="CG-02", case="E82")
