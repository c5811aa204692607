"""Issuing an access token: one function for the endpoint and the command, inside the caller's transaction."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from joserfc import jwt

from audit.trail import Event, record
from oauth import keys
from oauth.models import Client, numbered
from smart import lifetimes
from smart.clock import SECOND

# Everything that decides about an authorization's next token, read after the row that is consumed is locked.
_FACTS = """
SELECT a.id, a.epoch, a.scope, a.context, a.patient, a.ended_at, a.client_epoch, a.user_epoch,
    c.id, c.client_id, c.epoch, c.enabled, c.grants, c.supersede, c.tokens_to_keep, c.access_token_seconds,
    s.id, s.base, s.access_token_seconds,
    COALESCE(u.id, 0), COALESCE(u.subject, ''), COALESCE(u.epoch, 0), COALESCE(u.stopped_at, 0),
    k.kid, k.private_encrypted, s.signing_algorithm
FROM oauth_authorization a
JOIN oauth_client c ON c.id = a.client_id
JOIN oauth_fhirserver s ON s.id = a.fhir_server_id
LEFT JOIN accounts_user u ON u.id = a.user_id
LEFT JOIN oauth_signingkey k ON k.algorithm = s.signing_algorithm AND k.state = 'active'
WHERE a.id = %s
"""
_SEAT = """
INSERT INTO oauth_seat (key, latest) VALUES (%s, 1)
ON CONFLICT (key) DO UPDATE SET latest = oauth_seat.latest + 1
RETURNING id, latest
"""
_TOKEN = """
INSERT INTO oauth_accesstoken (digest, signed_digest, signature_digest, jti, authorization_id, authorization_epoch,
    code_id, seat_id, seat_number, scope, claims, issued_at, expires_at, revoked_at, revoked_for, address)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '', %s)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorization allows at this moment, and everything that decides whether it still does."""

    authorization_id: int
    authorization_epoch: int
    scope: str
    context: str
    patient: str
    ended_at: int
    granted_client_epoch: int
    granted_user_epoch: int
    client_pk: int
    client_id: str
    client_epoch: int
    client_enabled: int
    grants: str
    supersede: str
    tokens_to_keep: int
    client_seconds: int
    fhir_server_pk: int
    base: str
    server_seconds: int
    user_pk: int
    subject: str
    user_epoch: int
    user_stopped_at: int
    kid: str | None
    private_encrypted: str
    algorithm: str

    @classmethod
    def of(cls, authorization_id: int) -> "Grant":
        """The grant of an authorization, in one statement."""
        with connection.cursor() as cursor:
            cursor.execute(_FACTS, [authorization_id])
            return cls(*cursor.fetchone())

    def event(self, kind: str, *, at: int, address: str = "", token: str = "", reason: str = "") -> Event:
        """An event about this grant."""
        return Event(
            kind=kind,
            at=at,
            client=self.client_id,
            person=self.subject,
            fhir_server=self.base,
            patient=self.patient,
            authorization=numbered(self.authorization_id),
            token=token,
            address=address,
            reason=reason,
        )

    @property
    def lost(self) -> str:
        """Why nothing may be issued any more, or ""."""
        if self.ended_at:
            return "the authorization has ended"
        if self.granted_client_epoch != self.client_epoch or not self.client_enabled:
            return "the client's access has ended"
        if self.granted_user_epoch != self.user_epoch or self.user_stopped_at:
            return "the person's access has ended"
        return ""

    @property
    def seat_key(self) -> str:
        """The supersede key of the client's policy (PR-01); "" when nothing supersedes."""
        policy, server = self.supersede, self.fhir_server_pk
        keys = {
            Client.Supersede.USER_CLIENT: f"{self.client_pk}|{self.user_pk}|{server}",
            Client.Supersede.USER_CLIENT_PATIENT: f"{self.client_pk}|{self.user_pk}|{server}|{self.patient}",
            Client.Supersede.GRANT: f"{self.authorization_id}",
            Client.Supersede.CLIENT: f"{self.client_pk}|{server}",
        }
        return f"{policy}|{keys[Client.Supersede(policy)]}" if policy != Client.Supersede.OFF else ""


def issue(grant: Grant, *, now: int, address: str, code_id: int | None = None) -> dict[str, Any]:
    """A live token of this grant and the answer that carries it (RFC 6749 §5.1). Older ones of its seat die with it."""
    seconds = lifetimes.access_token_seconds(
        grant.server_seconds,
        grant.client_seconds,
        default=settings.SMARTAUTH_ACCESS_TOKEN_SECONDS,
        bound=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
    )
    issued = now // SECOND
    claims = _claims(grant, issued=issued, expires=issued + seconds)
    jti = secrets.token_urlsafe(16)
    token = _signed(grant, {**claims, "jti": jti})
    seat_id, number = _seat(grant)
    known = {"active": True, "token_type": "Bearer", **claims}
    with connection.cursor() as cursor:
        cursor.execute(
            _TOKEN,
            [*_digests(token), jti, grant.authorization_id, grant.authorization_epoch, code_id, seat_id, number,
             grant.scope, json.dumps(known), now, (issued + seconds) * SECOND, address],
        )  # fmt: skip
        (token_id,) = cursor.fetchone()
    _recorded(grant, token_id, number, now=now, address=address)
    context = json.loads(grant.context)
    return {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": grant.scope, **context}


def _claims(grant: Grant, *, issued: int, expires: int) -> dict[str, Any]:
    about = {"iss": settings.SMARTAUTH_ISSUER, "aud": grant.base, "client_id": grant.client_id}
    subject = grant.subject or grant.client_id
    return {**about, "sub": subject, "iat": issued, "exp": expires, "scope": grant.scope, **json.loads(grant.context)}


def _signed(grant: Grant, claims: dict[str, Any]) -> str:
    if grant.kid is None:
        raise keys.UnreadableKey(f"there is no active {grant.algorithm} key; run: manage.py keys")
    header = {"alg": grant.algorithm, "typ": "at+jwt", "kid": grant.kid}
    return jwt.encode(header, claims, keys.signing(grant.kid, grant.private_encrypted), algorithms=[grant.algorithm])


def _digests(token: str) -> tuple[str, str, str]:
    signed, _, signature = token.rpartition(".")
    return (
        hashlib.sha256(token.encode()).hexdigest(),
        hashlib.sha256(signed.encode()).hexdigest(),
        hashlib.sha256(signature.encode()).hexdigest(),
    )


def _seat(grant: Grant) -> tuple[int | None, int]:
    if not grant.seat_key:
        return None, 0
    with connection.cursor() as cursor:
        cursor.execute(_SEAT, [grant.seat_key])
        seat_id, number = cursor.fetchone()
        return seat_id, number


def _recorded(grant: Grant, token_id: int, number: int, *, now: int, address: str) -> None:
    events = [grant.event("issued", at=now, address=address, token=numbered(token_id))]
    if number > grant.tokens_to_keep:
        events.append(grant.event("superseded", at=now, reason=f"by token {numbered(token_id)}"))
    record(*events)
