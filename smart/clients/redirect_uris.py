"""Redirect URIs: which may be registered, which may be used, what is appended to them (RG-02, AZ-05, AZ-16, SB-02)."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from smart.http.errors import OAuthError

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
MAX_LENGTH = 2000
MAX_HOST_LENGTH = 253
RESPONSE_PARAMETERS = ("code", "state", "iss", "error", "error_description", "error_uri")

_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_LOOPBACK = re.compile(r"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?].*)?")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9][a-z0-9-]*)+")


def redirect_uri_problem(uri: str, native: bool, *, dev: bool = False) -> str | None:
    """Why this redirect URI may not be registered, or None. In dev mode web clients may use http on loopback too."""
    if "#" in uri:
        return "a fragment is not allowed"
    if "*" in uri:
        return "a wildcard is not allowed"
    if not _URI.fullmatch(uri):
        return "it has a character that no URI has"
    if len(uri) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    try:
        return _problem(urlsplit(uri), native, loopback=native or dev)
    except ValueError:
        return "it is not a URI"


def reserved_parameter_problem(uri: str, reserved: Iterable[str] = RESPONSE_PARAMETERS) -> str | None:
    """Why its query may not be registered: the app could not tell what we append from what stood there (SB-02)."""
    held = parse_qs(urlsplit(uri).query, keep_blank_values=True)
    taken = [name for name in reserved if name in held]
    return f"its query has {' and '.join(taken)} already, which we append" if taken else None


def _problem(uri: SplitResult, native: bool, *, loopback: bool) -> str | None:
    if uri.username is not None or uri.password is not None:
        return "a user name is not allowed"
    if uri.scheme in ("https", "http"):
        if not is_host(uri.hostname) or uri.port == 0 or uri.netloc.endswith(":"):
            return "it names no host"
        fit = uri.scheme == "https" or (loopback and uri.hostname in LOOPBACK_HOSTS)
        return None if fit else "http is allowed on loopback for native apps only"
    if not _PRIVATE_SCHEME.fullmatch(uri.scheme):
        return "its scheme is neither https nor the reverse of a domain name"
    return None if native else "an own scheme is allowed for native apps only"


def is_host(name: str | None) -> bool:
    """Whether a URL can lead there: labels between the dots, or what stood in the brackets of an IPv6 address."""
    return name is not None and len(name) <= MAX_HOST_LENGTH and (":" in name or _HOST.fullmatch(name) is not None)


def is_registered(uri: str, redirect_uris: Iterable[str], *, native: bool) -> bool:
    """Whether the URI is one of these by exact string; only the port of a native app's loopback may vary (E4, E6)."""
    return any(uri == known or (native and _same_but_port(uri, known)) for known in redirect_uris)


def _same_but_port(uri: str, known: str) -> bool:
    sent, stored = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(known)
    if sent is None or stored is None or not 0 < int(sent["port"] or 80) <= 65535:
        return False
    return (sent["host"], sent["rest"]) == (stored["host"], stored["rest"])


def success_redirect(redirect_uri: str, code: str, state: str, iss: str) -> str:
    """Where a granted request goes (RFC 6749 §4.1.2, RFC 9207 §2)."""
    return url_with_query(redirect_uri, {"code": code, "state": state, "iss": iss})


def error_redirect(redirect_uri: str, error: OAuthError, state: str, iss: str, error_uri: str = "") -> str:
    """Where a refused request goes (RFC 6749 §4.1.2.1, RFC 9207 §2)."""
    answer = {"error": error.code, "error_description": error.description, "error_uri": error_uri}
    return url_with_query(redirect_uri, {**answer, "state": state, "iss": iss})


def url_with_query(url: str, answer: dict[str, str]) -> str:
    """The URL with these, where they have a value, added to its own query."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in answer.items() if value)
    if "?" not in url:
        return f"{url}?{query}"
    return f"{url}{'' if url[-1] in '?&' else '&'}{query}"
