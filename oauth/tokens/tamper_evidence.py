"""What shows that the sender of a changed token held the original, or one of our keys (SD-07). Nothing is written here.

What follows from it is done by `introspection.tampering`; an explanation only tells.
"""

from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from oauth.keys import signing_keys
from smart.tokens import tampering

ALGORITHMS = ["ES256", "RS256"]


def tamper_evidence(parts: tuple[str, ...], *, signed_digest: str, signature_digest: str, now: int) -> str:
    """The evidence against the token with these digests, "" for none."""
    held = tampering.evidence(parts, signed_digest=signed_digest, signature_digest=signature_digest)
    return held or _our_key_evidence(parts, now)


def _our_key_evidence(parts: tuple[str, ...], now: int) -> str:
    """Whether one of our keys signed it, whatever `kid` it names: at most one check for each key of its algorithm."""
    algorithm = tampering.algorithm(parts)
    if len(parts) != 3 or algorithm not in ALGORITHMS:
        return ""
    for key in signing_keys.verification_keys(now=now).keys:
        if key.alg == algorithm and _is_signed_by(".".join(parts), key):
            return "signed with our key"
    return ""


def _is_signed_by(token: str, key: Any) -> bool:
    try:
        jws.deserialize_compact(token, key, algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError):  # TypeError: joserfc on crit that holds a number
        return False
    return True
