"""Fetching a client's keys from its JWKS URL: https, public addresses, small, quick, no redirect (RG-03, RG-06)."""

import ipaddress
import socket
import time
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from smart import jwks
from smart.redirect_uris import LOOPBACK_HOSTS

CONNECT_SECONDS = 3.0
ALL_SECONDS = 8.0


class Unfetchable(Exception):
    """Why the keys could not be had, in words for an operator."""


def unfit(address: str) -> str:
    """Why this may not be a JWKS URL, or "". In development http on loopback is allowed too."""
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return "It is not a URL"
    if url.scheme != "https" and not (settings.SMARTAUTH_DEV and _on_loopback(address)):
        return "It must begin with https://"
    if not url.hostname or port == 0 or not address.isascii() or not address.isprintable() or " " in address:
        return "It is not a URL"
    return "A user name or fragment is not allowed" if "@" in url.netloc or "#" in address else ""


def fetch(address: str) -> tuple[jwks.PublicKey, ...]:
    """The keys behind the URL, checked like pasted ones. Raises Unfetchable or smart.jwks.UnfitKeys."""
    if problem := unfit(address):
        raise Unfetchable(problem)
    try:
        return jwks.read(_body(address))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unfetchable(f"It could not be fetched: {type(error).__name__}") from None


def _body(address: str) -> bytes:
    """The answer, asked of the very address that was judged, so that a name cannot change its mind in between."""
    url = httpx.URL(address)
    request = httpx.Request(
        "GET",
        url.copy_with(host=_public_address(url.host, url.port or (443 if url.scheme == "https" else 80))),
        headers={"Host": url.netloc.decode(), "Accept": "application/json", "Accept-Encoding": "identity"},
        extensions={"sni_hostname": url.host, "timeout": httpx.Timeout(CONNECT_SECONDS).as_dict()},
    )
    deadline = time.monotonic() + ALL_SECONDS
    with httpx.Client(trust_env=False, follow_redirects=False) as client:
        answer = client.send(request, stream=True)
        try:
            return _read(answer, deadline)
        finally:
            answer.close()


def _read(answer: httpx.Response, deadline: float) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise Unfetchable(f"It answered {answer.status_code} instead of 200")
    body = b""
    for part in answer.iter_raw(4096):
        body += part
        if len(body) > jwks.LONGEST:
            raise Unfetchable(f"It is longer than {jwks.LONGEST} bytes")
        if time.monotonic() > deadline:
            raise Unfetchable(f"It took longer than {ALL_SECONDS:.0f} seconds")
    return body


def _public_address(host: str, port: int) -> str:
    """One address of the host, if all of them are public (in development any)."""
    found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not settings.SMARTAUTH_DEV and not all(map(_is_public, found)):
        raise Unfetchable("Its host has an address that is not public")
    return sorted(found, key=lambda one: ":" in one)[0]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    return bool(inner.is_global and not inner.is_multicast)


def _on_loopback(address: str) -> bool:
    url = urlsplit(address)
    return url.scheme == "http" and url.hostname in LOOPBACK_HOSTS
