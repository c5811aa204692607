"""The answer of a refresh, kept for an app that lost it: only the token that was spent opens it (RF-05)."""

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"smartauth: answer to the refresh token that was spent"


def seal(answer: bytes, spent: str) -> str:
    """The answer as the database keeps it: without the spent token, of which only the digest is kept, it is noise."""
    return _box(spent).encrypt(answer).decode()


def unseal(kept: str, spent: str) -> bytes:
    """The answer again. Raises InvalidToken if another token sealed it."""
    return _box(spent).decrypt(kept.encode())


def _box(spent: str) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(spent.encode())
    return Fernet(base64.urlsafe_b64encode(key))
