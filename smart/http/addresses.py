"""Where a request comes from, and whether two addresses count as one (PR-04, PR-05)."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from smart.remembered import remembered

IPV6_PREFIX = 64


class PrefixLengths(NamedTuple):
    """How many bits of two addresses must agree for them to count as one (PR-04)."""

    ipv4: int = 32
    ipv6: int = IPV6_PREFIX


DEFAULT_PREFIXES = PrefixLengths()


@remembered
def normalize(text: str) -> str:
    """The address in one spelling, an IPv4-mapped one as IPv4, "" if it is none."""
    address = _parse(text)
    return "" if address is None else str(address)


def is_same_address(one: str, other: str, prefixes: PrefixLengths = DEFAULT_PREFIXES) -> bool:
    """Whether both lie in one network of that prefix; what is no address equals nothing."""
    first, second = _parse(one), _parse(other)
    if first is None or second is None or first.version != second.version:
        return False
    prefix = prefixes.ipv4 if first.version == 4 else prefixes.ipv6
    return second in ip_network((first.packed, prefix), strict=False)


@remembered
def caller_network(text: str) -> str:
    """Whose address it is as far as anybody can tell: of IPv6 the network, in which one caller has all addresses."""
    address = _parse(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address.packed, IPV6_PREFIX), strict=False))
    return normalize(text)


def caller_address(peer: str, forwarded: str, trusted: int) -> str:
    """The address behind this many trusted proxies, X-Forwarded-For counted from the right.

    With fewer entries than proxies, or an entry that is no address, nothing can be believed: it is the peer.
    """
    entries = [part for part in forwarded.split(",") if part.strip()] if trusted else []
    if not 0 < trusted <= len(entries):
        return normalize(peer)
    return normalize(without_port(entries[-trusted])) or normalize(peer)


def without_port(text: str) -> str:
    """An address as some proxies write it, with a port or in brackets, without them."""
    entry = text.strip()
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


@remembered
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
