"""What is wrong with a JWT that names this server as its issuer and that it does not know, by looking alone."""

import json
from typing import Any

from django.conf import settings
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from oauth.keys.signing_keys import ALGORITHMS
from oauth.models import SigningKey
from smart.explanation import shown_text
from smart.time_units import SECOND
from smart.tokens import tampering
from smart.tokens.unlike_issued import unlike_claims, unlike_header

BUT = "It names us as its issuer, but "
NOT_KEPT = "was never issued as it is, or is no longer kept"


def forgery(parts: tuple[str, ...], *, now: int) -> tuple[str, str]:
    """Why it is none of ours, and what in its header shows that."""
    unlike = unlike_header(tampering.header(parts))
    what, presented = _broken_rule(parts)
    if what is None:
        claims = tampering.payload_text(parts)
        unlike += unlike_claims(claims, now=now / SECOND, longest=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS)
        return f"It is signed with a key of ours, but {', and '.join(unlike) or NOT_KEPT}", presented
    return what, ", ".join([presented, *unlike])


def _broken_rule(parts: tuple[str, ...]) -> tuple[str | None, str]:
    """What is wrong with algorithm, key or signature, None for nothing, and what was presented of these."""
    algorithm, kid = tampering.algorithm(parts), tampering.header(parts).get("kid")
    if not parts[-1] or algorithm.lower() in ("", "none"):
        return f"{BUT}is unsigned", f"alg {shown_text(algorithm)}" if algorithm else "no alg"
    key = SigningKey.objects.filter(kid=kid).first() if isinstance(kid, str) and "\0" not in kid else None
    named = f"kid {shown_text(json.dumps(kid))}" if kid is not None else "no kid"
    if key is None:
        return f"{BUT}its kid is no key of ours", named
    if key.algorithm != algorithm:
        return f"{BUT}that key of ours signs with {key.algorithm} only", f"alg {shown_text(algorithm)}"
    if not _is_signed_by(".".join(parts), key):
        return f"{BUT}its signature is not by the key that it names", named
    if key.withdrawn_at:
        return f"{BUT}it is signed with a key that we withdrew", named
    return None, named


def _is_signed_by(token: str, row: Any) -> bool:
    key = (ECKey if row.algorithm == "ES256" else RSAKey).import_key(json.loads(row.public_jwk))
    try:
        jws.deserialize_compact(token, key, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, TypeError):  # TypeError: joserfc on crit that holds a number
        return False
    return True
