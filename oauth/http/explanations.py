"""Explanations of refusals in development: each gets a reference that leads to it (AZ-25)."""

import secrets
from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from django.conf import settings

from oauth.http import refusal_log
from oauth.models import public_reference
from smart.explanation import Explanation

MOST = 1000

_lock = Lock()
_latest: OrderedDict[str, Explanation] = OrderedDict()


def random_reference() -> str:
    """Something to read out on the telephone, such as 7F3K-29QD."""
    return public_reference(secrets.randbits(40))


def with_reference(explanation: Explanation) -> Explanation:
    """In development the explanation with a reference, under which every process finds it; elsewhere as it is."""
    if not settings.SMARTAUTH_DEV:
        return explanation
    named = explanation if explanation.reference else replace(explanation, reference=random_reference())
    with _lock:
        if _latest.get(named.reference) == named:
            return named
        _latest[named.reference] = named
        if len(_latest) > MOST:
            _latest.popitem(last=False)
    refusal_log.append(named)
    return named


def latest_explanation(reference: str) -> Explanation | None:
    """One of the latest refusals here, in development also of another process; None where it is none, or too old."""
    found = _latest.get(reference)
    if found is not None or not settings.SMARTAUTH_DEV:
        return found
    return refusal_log.find(reference)


def error_uri(explanation: Explanation) -> str:
    """Where a developer reads it (RFC 6749 §4.1.2.1, §5.2), "" outside development."""
    if not (settings.SMARTAUTH_DEV and explanation.reference):
        return ""
    return f"{settings.SMARTAUTH_ISSUER}/explain/{explanation.reference}"
