"""Where a page may have come from, and what its developer can do, when its origin is no client's (CO-02)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from smart.clients.redirect_uris import LOOPBACK_HOSTS


def origin_advice(origin: str, registered: Iterable[str], *, issuer: str) -> str:
    """One sentence: which origin is meant, by another name of this machine or at another port, or what to register."""
    known = sorted(registered)
    if origin in known:
        return "It belongs to another client than the one that asked."
    if _is_same_place(origin, issuer):
        return f"This server is {issuer}: open it under that name."
    if near := next((one for one in known if _is_same_place(origin, one)), ""):
        return f"Registered is {near}, the same by another name: open the app there, or register this origin."
    if near := next((one for one in known if _host(one) and _host(one) == _host(origin)), ""):
        return f"Registered is {near}, at another port or scheme: open the app there, or register this origin."
    return "No client has it: register a redirect URI, a launch URL or an allowed origin there."


def _is_same_place(origin: str, other: str) -> bool:
    """Whether both are one port of this machine by two names; every name of it counts as a host of its own."""
    first, second = _parts(origin), _parts(other)
    return first != second and first[::2] == second[::2] and {first[1], second[1]} <= set(LOOPBACK_HOSTS)


def _host(origin: str) -> str:
    return _parts(origin)[1]


def _parts(origin: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; nothing for what is no origin."""
    try:
        parts = urlsplit(origin)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None
