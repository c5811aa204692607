"""Which authorities are believed by who calls other servers: those that everybody knows, and those of a file."""

import ssl
from functools import lru_cache

import certifi


@lru_cache(maxsize=4)
def outgoing_tls(ca_file: str = "") -> ssl.SSLContext:
    """For all calls to other machines; read once. Raises OSError or ssl.SSLError for what holds no certificate."""
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
