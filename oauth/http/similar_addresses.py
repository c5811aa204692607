"""Which addresses of this server are written almost like a mistyped one: for developers."""

from difflib import get_close_matches
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import get_resolver

LONGEST = 120
MOST = 3
CLOSENESS = 0.75


def similar_addresses(path: str) -> list[str]:
    """The closest first; addresses with an id in them are left out."""
    return get_close_matches(path[:LONGEST], sorted(_addresses()), n=MOST, cutoff=CLOSENESS)


def _addresses() -> set[str]:
    routes = {f"/{pattern.pattern}" for pattern in get_resolver().url_patterns}
    machines = {urlsplit(uri).path for uri in settings.SMARTAUTH_FHIR_OAUTH_URIS.values()}
    return {address for address in routes | machines if "<" not in address}
