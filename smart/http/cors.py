"""Which pages of which origins may read an answer (CORS, CO-01 to CO-08)."""

from collections.abc import Collection, Iterable
from enum import Enum
from urllib.parse import urlsplit

REQUEST_HEADERS = (
    "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist, DPoP, X-Request-Id"
)
EXPOSED_HEADERS = "ETag, Location, Content-Location, WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id"
PREFLIGHT_SECONDS = 600
FHIR_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# under this name an inner layer notes in the request's environment whose token it was
CLIENT_ID = "smart.client_id"

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Cors(Enum):
    """Who may read: public documents anybody, machines' endpoints the registered origins, pages nobody."""

    ANY = "any"
    REGISTERED = "registered"
    NONE = "none"


def origin_of(url: str) -> str:
    """The web origin of a URL as a browser writes it, "" for own schemes (RFC 6454 §6.2)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")


def origins(urls: Iterable[str]) -> frozenset[str]:
    """The origins of redirect URIs, launch URLs and listed origins (CO-02)."""
    return frozenset(filter(None, map(origin_of, urls)))


def is_preflight(method: str, origin: str, requested_method: str) -> bool:
    """Whether a browser asks beforehand what it may send."""
    return method == "OPTIONS" and bool(origin) and bool(requested_method)


def cors_headers(
    rule: Cors,
    origin: str,
    registered: Collection[str] = (),
    *,
    methods: Iterable[str] = ("POST",),
    preflight: bool = False,
) -> dict[str, str]:
    """The headers of an answer, errors included; never with credentials (CO-04, CO-07)."""
    if rule is Cors.NONE:
        return {}
    if rule is Cors.ANY:
        return {"Access-Control-Allow-Origin": "*", **_details(methods, preflight=preflight)}
    if not origin or origin not in registered:
        return {"Vary": "Origin"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_details(methods, preflight=preflight)}


def _details(methods: Iterable[str], *, preflight: bool) -> dict[str, str]:
    if not preflight:
        return {"Access-Control-Expose-Headers": EXPOSED_HEADERS}
    return {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": REQUEST_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
