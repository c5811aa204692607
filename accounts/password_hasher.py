"""Argon2id, and how many hashes may be made at once: each takes 100 MB and a core (RFC 9106 §4)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from smart.http.addresses import caller_network

AT_ONCE = 2
WAIT_SECONDS = 3.0
RETRY_SECONDS = 5


class TooManyHashes(Exception):
    """Others are being made, and this one waited long enough: try again after RETRY_SECONDS."""


class BoundedArgon2(Argon2PasswordHasher):
    """At most AT_ONCE hashes in this process. Few others wait, and not for long, so that pages keep their threads.

    A network has one place. Its next caller waits for that outside of the places, like those who find none free.
    """

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            encoded: str = super().encode(password, salt)
            return encoded

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            fits: bool = super().verify(password, encoded)
            return fits


PLACES = max(AT_ONCE, settings.SMARTAUTH_WEB_THREADS // 2)
OUTSIDE = settings.SMARTAUTH_WEB_THREADS // 4  # who waits for a place or for the turn of their network: all together
OF_ONE_NETWORK = 2
_makers = threading.BoundedSemaphore(AT_ONCE)
_places = threading.BoundedSemaphore(PLACES)
_outside = threading.BoundedSemaphore(OUTSIDE)


@dataclass(slots=True)
class _Network:
    """Where hashes are asked for: one has a place and one more waits outside, so that places are left to others."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0


_networks: dict[str, _Network] = {}
_networks_lock = threading.Lock()
_network: ContextVar[str] = ContextVar("network", default="")


@contextmanager
def hashing_for(address: str) -> Iterator[None]:
    """What is hashed meanwhile a caller at this address asked for: no network of callers starves the others."""
    known = _network.set(caller_network(address))
    try:
        yield
    finally:
        _network.reset(known)


@contextmanager
def _turn() -> Iterator[None]:
    deadline = time.monotonic() + WAIT_SECONDS
    with _turn_of_network(_network.get(), deadline), _place(deadline):
        if not _makers.acquire(timeout=_left(deadline)):
            raise TooManyHashes
        try:
            yield
        finally:
            _makers.release()


@contextmanager
def _place(deadline: float) -> Iterator[None]:
    _acquire(_places, deadline)
    try:
        yield
    finally:
        _places.release()


def _acquire(wanted: "threading.Lock | threading.Semaphore", deadline: float) -> None:
    """At once where it is free, else after a wait outside, where few may be. Raises TooManyHashes."""
    if wanted.acquire(blocking=False):
        return
    if not _outside.acquire(blocking=False):
        raise TooManyHashes
    try:
        if not wanted.acquire(timeout=_left(deadline)):
            raise TooManyHashes
    finally:
        _outside.release()


@contextmanager
def _turn_of_network(name: str, deadline: float) -> Iterator[None]:
    """Nobody waits for others of a network that is not known."""
    if not name:
        yield
        return
    own = _enter(name)
    try:
        _acquire(own.turn, deadline)
        try:
            yield
        finally:
            own.turn.release()
    finally:
        _leave(name, own)


def _enter(name: str) -> _Network:
    with _networks_lock:
        own = _networks.setdefault(name, _Network())
        if own.inside >= OF_ONE_NETWORK:
            raise TooManyHashes
        own.inside += 1
        return own


def _leave(name: str, own: _Network) -> None:
    with _networks_lock:
        own.inside -= 1
        if not own.inside:
            del _networks[name]


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
