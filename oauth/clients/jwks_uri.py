"""Which JWKS URLs may be registered and fetched: https, and no host that only this machine can reach (RG-06, CL-12)."""

import ipaddress
import socket
from urllib.parse import urlsplit

import httpx

from smart.clients.redirect_uris import LOOPBACK_HOSTS, is_host

MAX_LENGTH = 2000
NOT_PUBLIC = "Its host has an address that is not public"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")  # all that is handed out to anybody (RFC 4291 §2.4)
# Python calls them global; RFC 6890 and Azure, for what a machine asks it about itself, keep them to themselves
_RESERVED = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("168.63.129.16/32"))


def jwks_uri_problem(uri: str, *, dev: bool) -> str:
    """Why this may not be a JWKS URL, or "". In development http on loopback and every host are allowed too."""
    try:
        url = urlsplit(uri)
        port, host = url.port, url.hostname or ""
        httpx.URL(uri)
    except (ValueError, httpx.InvalidURL):
        return "It is not a URL"
    if url.scheme != "https" and not (dev and url.scheme == "http" and host in LOOPBACK_HOSTS):
        return "It must begin with https://"
    if not uri.isascii() or not uri.isprintable() or " " in uri or "\\" in uri:
        return "It is not a URL"
    if not is_host(host) or port == 0 or url.netloc.endswith(":") or len(uri) > MAX_LENGTH:
        return "It is not a URL"
    if "@" in url.netloc or "#" in uri:
        return "A user name or fragment is not allowed"
    return "" if dev or _may_be_public(host) else NOT_PUBLIC


def is_public(address: str) -> bool:
    """Whether anybody can reach this address, also where one is written inside the other (RFC 6890)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return all(map(_is_global, _embedded_ipv4(found))) if _embedded_ipv4(found) else _is_global(found)


def _may_be_public(host: str) -> bool:
    """Whether it can be somebody else's: no name of this machine, no address of a private network in any spelling."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 §6.3
        return False
    numeric = _numeric_address(name)
    return not numeric or is_public(numeric)  # whose address a name has is seen at each fetch


def _numeric_address(host: str) -> str:
    """The address that a resolver reads without asking anybody, `0x7f.1` and `2130706433` included, else ""."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return ""


def _is_global(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_IPV6:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _RESERVED)


def _embedded_ipv4(address: _Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses to which an IPv6 address leads."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return [one for one in (address.ipv4_mapped, address.sixtofour, translated) if one is not None]
