"""Argon2id, and how many hashes may be made at once: each takes 100 MB and a core (RFC 9106 §4)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 2
WAIT_SECONDS = 3.0
RETRY_SECONDS = 5


class TooManyHashes(Exception):
    """Others are being made, and this one waited long enough: try again after RETRY_SECONDS."""


class BoundedArgon2(Argon2PasswordHasher):
    """At most AT_ONCE hashes in this process. Few others wait, and not for long, so that pages keep their threads."""

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            encoded: str = super().encode(password, salt)
            return encoded

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            fits: bool = super().verify(password, encoded)
            return fits


_makers = threading.BoundedSemaphore(AT_ONCE)
_makers_and_waiters = threading.BoundedSemaphore(max(AT_ONCE, settings.SMARTAUTH_WEB_THREADS // 2))


@contextmanager
def _turn() -> Iterator[None]:
    if not _makers_and_waiters.acquire(blocking=False):
        raise TooManyHashes
    try:
        if not _makers.acquire(timeout=WAIT_SECONDS):
            raise TooManyHashes
        try:
            yield
        finally:
            _makers.release()
    finally:
        _makers_and_waiters.release()
