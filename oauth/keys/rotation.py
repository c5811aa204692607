"""Signing keys take turns: the next one signs, the active one retires, and a new next one is published (DS-21).

Each turn is one transaction under one lock: a process that crashes in it has changed nothing, and of two at once one
does it.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.keys import signing_keys
from oauth.models import SigningKey
from smart.time_units import DAY, SECOND

log = logging.getLogger(__name__)
State = SigningKey.State


class NotRotated(Exception):
    """Why nothing has changed, for an operator."""


def rotate(kid: str, *, urgent: bool = False, by: Mapping[str, Any] | None = None) -> SigningKey:
    """The key that signs from now on instead of `kid`. Tokens of `kid` verify until they expire.

    Raises NotRotated; also where the next key was not published long enough, unless it is urgent.
    """
    with transaction.atomic():
        row = _lock_and_read(kid)
        if row.state != State.ACTIVE:
            raise NotRotated(f"{kid} does not sign")
        if not urgent:
            _refuse_unannounced(row.algorithm)
        _retire(row)
        active = _ensure_active_and_next(row.algorithm)
        _record(EventKind.KEY_ROTATED, f"{active.kid} signs after {kid}", by)
    return active


def withdraw(kid: str, *, by: Mapping[str, Any] | None = None) -> None:
    """A key that somebody else may have: it is published no more, and what it signs is no sign of us (SD-07).

    If it was to sign, the next one does. Raises NotRotated.
    """
    with transaction.atomic():
        row = _lock_and_read(kid)
        if row.withdrawn_at:
            raise NotRotated(f"{kid} is withdrawn already")
        _retire(row, withdrawn=True)
        active = _ensure_active_and_next(row.algorithm)
        _record(EventKind.KEY_WITHDRAWN, f"{kid}; {active.kid} signs", by)


def rotate_due() -> int:
    """Rotates what has signed for SMARTAUTH_KEY_ROTATION_DAYS. How many."""
    signing_keys.ensure_keys()
    if not settings.SMARTAUTH_KEY_ROTATION_DAYS:
        return 0
    oldest = clock.now() - settings.SMARTAUTH_KEY_ROTATION_DAYS * DAY
    rotated = 0
    for kid in active_keys().filter(activated_at__lte=oldest).values_list("kid", flat=True):
        try:
            rotate(kid, by={"reference": "schedule"})
        except NotRotated as refusal:
            log.warning("signing keys are not rotated yet: %s", refusal)
            continue
        rotated += 1
    return rotated


def active_keys() -> Any:
    """The keys that sign, one an algorithm."""
    return SigningKey.objects.filter(state=State.ACTIVE).order_by("algorithm")


def seconds_until_announced(row: SigningKey, *, now: int) -> int:
    """For how many seconds this next key still has to be published before it may sign; 0 when it may."""
    seconds: int = settings.SMARTAUTH_KEY_ANNOUNCED_SECONDS - (now - row.created_at) // SECOND
    return max(0, seconds)


def _lock_and_read(kid: str) -> SigningKey:
    """The row, read when nobody else can change a key."""
    signing_keys.lock_keys()
    row = SigningKey.objects.filter(kid=kid).first()
    if row is None:
        raise NotRotated(f"there is no key {kid}")
    return row


def _refuse_unannounced(algorithm: str) -> None:
    coming = SigningKey.objects.filter(algorithm=algorithm, state=State.NEXT).first()
    if coming is None:
        raise NotRotated(f"no next {algorithm} key is published; a start of the server makes one")
    if wait := seconds_until_announced(coming, now=clock.now()):
        raise NotRotated(f"{coming.kid} is to be published for another {wait} seconds before it signs")
    if not signing_keys.is_readable(coming):
        raise NotRotated(f"{coming.kid} cannot be decrypted; withdraw it")


def _retire(row: SigningKey, *, withdrawn: bool = False) -> None:
    """It signs nothing any more, so its private half is forgotten."""
    row.state, row.private_encrypted = State.RETIRED, ""
    row.retired_at = row.retired_at or clock.now()
    row.withdrawn_at = clock.now() if withdrawn else 0
    row.save()


def _ensure_active_and_next(algorithm: str) -> SigningKey:
    """The active key; one is active and one is next again afterwards."""
    rows = {row.state: row for row in SigningKey.objects.filter(algorithm=algorithm).exclude(state=State.RETIRED)}
    active, coming = rows.get(State.ACTIVE), rows.get(State.NEXT)
    if active is None and coming is not None:
        active, coming = _promote(coming), None
    if active is None:
        active = signing_keys.create_key(algorithm, State.ACTIVE)
    if coming is None:
        signing_keys.create_key(algorithm, State.NEXT)
    return active


def _promote(coming: SigningKey) -> SigningKey | None:
    """It signs, if anybody can read it."""
    if not signing_keys.is_readable(coming):
        _retire(coming, withdrawn=True)
        return None
    coming.state, coming.activated_at = State.ACTIVE, clock.now()
    coming.save()
    return coming


def _record(kind: EventKind, reason: str, by: Mapping[str, Any] | None) -> None:
    record_events(Event(kind=kind, at=clock.now(), reason=reason, **(by or {})))
