"""A token that was not found: noise, a suspicion, or a changed copy of one of ours (SD-07)."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from joserfc import jws
from joserfc.errors import JoseError

from audit.trail import Event, record
from oauth import keys
from oauth.endpoint import MachineRequest, writers
from oauth.models import numbered

_ORIGINAL = """
SELECT t.id, t.authorization_id, t.signed_digest, t.signature_digest, c.client_id
FROM oauth_accesstoken t
JOIN oauth_authorization a ON a.id = t.authorization_id
JOIN oauth_client c ON c.id = a.client_id
WHERE t.jti = %s
"""
_END = "UPDATE oauth_accesstoken SET revoked_at = %s, revoked_for = 'tampered' WHERE id = %s AND revoked_at = 0"
_FLAG = "UPDATE oauth_authorization SET flagged_at = %s WHERE id = %s"
MAX_TOKEN = 16_384
ALGORITHMS = ["ES256", "RS256"]


@dataclass(frozen=True, slots=True)
class Original:
    """The token whose jti a changed one carries."""

    pk: int
    authorization_id: int
    signed_digest: str
    signature_digest: str
    client_id: str


async def judge(token: str, request: MachineRequest) -> None:
    """Ends the original if the sender shows that he held it, or our key; else records a suspicion and ends nothing."""
    if jti := _jti(token):
        await writers.run(lambda: _judge(token, jti, request))


def _judge(token: str, jti: str, request: MachineRequest) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ORIGINAL, [jti])
        row = cursor.fetchone()
    if row is None:
        return
    original = Original(*row)
    evidence = _evidence(token, original, request.now)
    with transaction.atomic():
        if evidence:
            _end(original, request.now)
        record(_event("tampered" if evidence else "tamper-suspected", original, request, evidence))


def _end(original: Original, now: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_END, [now, original.pk])
        cursor.execute(_FLAG, [now, original.authorization_id])


def _evidence(token: str, original: Original, now: int) -> str:
    """What shows that the sender held the original or our key; "" if nothing does."""
    signed, _, signature = token.rpartition(".")
    if _sha256(signed) == original.signed_digest:
        return "another signature under our header and payload"
    if _sha256(signature) == original.signature_digest:
        return "our signature under another header or payload"
    return "signed with our key" if _verifies(token, now) else ""


def _verifies(token: str, now: int) -> bool:
    """Whether one of our keys signed it, whatever `kid` it names."""
    for key in keys.verifying(now=now).keys:
        try:
            jws.deserialize_compact(token, key, algorithms=ALGORITHMS)
        except (JoseError, ValueError, TypeError):  # TypeError: joserfc on crit that holds a number
            continue
        return True
    return False


def _jti(token: str) -> str:
    """The jti in what has the form of a JWT, else ""."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > MAX_TOKEN:
        return ""
    payload = _json(parts)
    jti = payload.get("jti") if isinstance(payload, dict) else None
    return jti if isinstance(jti, str) and jti.isascii() and jti.isprintable() else ""


def _json(parts: Sequence[str]) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _event(kind: str, original: Original, request: MachineRequest, evidence: str) -> Event:
    return Event(
        kind=kind,
        at=request.now,
        client=original.client_id,
        token=numbered(original.pk),
        authorization=numbered(original.authorization_id),
        address=request.address,
        reason=evidence or "a known identifier and nothing else",
        reference=request.credentials.client_id,
    )
