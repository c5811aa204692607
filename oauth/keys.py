"""Signing keys: one active per algorithm, private halves encrypted at rest, public halves published while needed."""

import json
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import IntegrityError, transaction
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

from accounts import clock
from oauth.models import SigningKey
from smart.clock import SECOND

Key = ECKey | RSAKey


class UnreadableKey(RuntimeError):
    """The private half was encrypted under a key-encryption key that this server does not have."""


def ensure() -> None:
    """An active key for every algorithm. Two servers starting at once end with the same ones."""
    for algorithm in ("ES256", "RS256"):
        if not SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.ACTIVE).exists():
            try:
                with transaction.atomic():
                    _made(algorithm).save(force_insert=True)
            except IntegrityError:
                continue


def signing(kid: str, private_encrypted: str) -> Key:
    """The private key of a row. Raises UnreadableKey."""
    return _decrypted(kid, private_encrypted)


def published(*, now: int) -> dict[str, Any]:
    """The JWKS: public members only (DS-20), next, active, and retired while a token of theirs may live (DS-21)."""
    oldest = now - settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS * SECOND
    rows = SigningKey.objects.order_by("pk")
    return {"keys": [json.loads(row.public_jwk) for row in rows if not row.retired_at or row.retired_at > oldest]}


def verifying(*, now: int) -> KeySet:
    """The public keys under which a token of this server verifies."""
    return KeySet.import_key_set({"keys": published(now=now)["keys"]})


def _made(algorithm: str) -> SigningKey:
    kid = f"{algorithm.lower()}-{secrets.token_hex(8)}"
    about: KeyParameters = {"kid": kid, "use": "sig", "alg": algorithm}
    key: Key = (
        ECKey.generate_key("P-256", about, private=True)
        if algorithm == "ES256"
        else RSAKey.generate_key(2048, about, private=True)
    )
    now = clock.now()
    return SigningKey(
        kid=kid,
        algorithm=algorithm,
        state=SigningKey.State.ACTIVE,
        public_jwk=json.dumps(key.as_dict(private=False)),
        private_encrypted=_box().encrypt(json.dumps(key.as_dict(private=True)).encode()).decode(),
        created_at=now,
        activated_at=now,
    )


@lru_cache(maxsize=16)
def _decrypted(kid: str, private_encrypted: str) -> Key:
    try:
        jwk = json.loads(_box().decrypt(private_encrypted.encode()))
    except InvalidToken:
        raise UnreadableKey(f"key {kid} cannot be decrypted; is SMARTAUTH_KEY_ENCRYPTION_KEYS the right one?") from None
    return ECKey.import_key(jwk) if jwk["kty"] == "EC" else RSAKey.import_key(jwk)


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SMARTAUTH_KEY_ENCRYPTION_KEYS])
