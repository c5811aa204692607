"""Signing keys: active, next, retired; private halves encrypted at rest, public halves published while needed."""

import json
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.models import SigningKey
from smart.time_units import SECOND
from smart.tokens.lifetimes import ACCESS_TOKEN_BOUND

Key = ECKey | RSAKey
ALGORITHMS = ("ES256", "RS256")
# No token lives longer than an hour (SD-04), whatever the settings said when it was signed. The rest is for a
# server that had read the key just before it retired, and for clocks that differ.
PUBLISHED_AFTER = (ACCESS_TOKEN_BOUND + 300) * SECOND


class UnreadableKey(RuntimeError):
    """The private half was encrypted under a key-encryption key that this server does not have."""


def ensure_keys() -> None:
    """An active key and a next one for every algorithm. Servers starting at once end with the same ones."""
    for algorithm in ALGORITHMS:
        for state in (SigningKey.State.ACTIVE, SigningKey.State.NEXT):
            if not SigningKey.objects.filter(algorithm=algorithm, state=state).exists():
                try:
                    with transaction.atomic():
                        create_key(algorithm, state)
                except IntegrityError:
                    continue


def private_key(kid: str, private_encrypted: str) -> Key:
    """The private key of a row. Raises UnreadableKey."""
    return _decrypt(kid, private_encrypted)


def lock_keys() -> None:
    """Nobody else changes a key until the end of the transaction: the oldest row is the lock, none is ever deleted."""
    SigningKey.objects.select_for_update().order_by("pk").first()


def is_readable(row: SigningKey) -> bool:
    """Whether this server has the key-encryption key of its private half."""
    try:
        private_key(row.kid, row.private_encrypted)
    except UnreadableKey:
        return False
    return True


def unreadable_kids() -> list[str]:
    """Which keys that sign, or will, this server cannot read."""
    rows = SigningKey.objects.exclude(state=SigningKey.State.RETIRED).order_by("pk")
    return [row.kid for row in rows if not is_readable(row)]


def public_jwks(*, now: int) -> dict[str, Any]:
    """The JWKS: public members only (DS-20), next, active, and retired while a token of theirs may live (DS-21)."""
    needed = Q(retired_at=0) | Q(retired_at__gt=now - PUBLISHED_AFTER)
    rows = SigningKey.objects.filter(needed, withdrawn_at=0).order_by("pk")
    return {"keys": [json.loads(public) for public in rows.values_list("public_jwk", flat=True)]}


def verification_keys(*, now: int) -> KeySet:
    """The public keys under which a token of this server verifies."""
    return KeySet.import_key_set({"keys": public_jwks(now=now)["keys"]})


def create_key(algorithm: str, state: str) -> SigningKey:
    """A new key in the database. Raises IntegrityError where there is one in that state."""
    kid = f"{algorithm.lower()}-{secrets.token_hex(8)}"
    about: KeyParameters = {"kid": kid, "use": "sig", "alg": algorithm}
    key: Key = (
        ECKey.generate_key("P-256", about, private=True)
        if algorithm == "ES256"
        else RSAKey.generate_key(2048, about, private=True)
    )
    now = clock.now()
    return SigningKey.objects.create(
        kid=kid,
        algorithm=algorithm,
        state=state,
        public_jwk=json.dumps(key.as_dict(private=False)),
        private_encrypted=_fernet().encrypt(json.dumps(key.as_dict(private=True)).encode()).decode(),
        created_at=now,
        activated_at=now if state == SigningKey.State.ACTIVE else 0,
    )


def re_encrypt() -> list[str]:
    """Every private half under the first key-encryption key, so that the others may go. The keys that were not.

    Raises UnreadableKey, and then nothing has changed.
    """
    first, box = Fernet(settings.SMARTAUTH_KEY_ENCRYPTION_KEYS[0]), _fernet()
    moved = []
    with transaction.atomic():
        lock_keys()
        for row in SigningKey.objects.exclude(private_encrypted="").order_by("pk"):
            if _can_decrypt(first, row.private_encrypted):
                continue
            private_key(row.kid, row.private_encrypted)
            row.private_encrypted = box.rotate(row.private_encrypted).decode()
            row.save(update_fields=["private_encrypted"])
            moved.append(row.kid)
        if moved:
            record_events(Event(kind=EventKind.KEYS_RE_ENCRYPTED, at=clock.now(), reason=", ".join(moved)))
    return moved


def _can_decrypt(box: Fernet, private_encrypted: str) -> bool:
    try:
        box.decrypt(private_encrypted)
    except InvalidToken:
        return False
    return True


@lru_cache(maxsize=16)
def _decrypt(kid: str, private_encrypted: str) -> Key:
    try:
        jwk = json.loads(_fernet().decrypt(private_encrypted.encode()))
    except InvalidToken:
        raise UnreadableKey(f"key {kid} cannot be decrypted; is SMARTAUTH_KEY_ENCRYPTION_KEYS the right one?") from None
    return ECKey.import_key(jwk) if jwk["kty"] == "EC" else RSAKey.import_key(jwk)


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SMARTAUTH_KEY_ENCRYPTION_KEYS])
