"""Which FHIR base URLs may be protected: a URL that is unmistakable as the `aud` of a token (AZ-08, DS-24)."""

import re
from urllib.parse import SplitResult, urlsplit

from smart.clients.redirect_uris import LOOPBACK_HOSTS, is_host

MAX_LENGTH = 2000
_URL = re.compile(r"(?:[A-Za-z0-9\-._~:/@!$&'()+,;=\[\]]|%[0-9A-Fa-f]{2})+")


def base_url_problem(url: str) -> str:
    """Why this cannot be the base of a protected FHIR server, or ""."""
    if "#" in url:
        return "a fragment is not allowed"
    if "?" in url:
        return "a query is not allowed"
    if not _URL.fullmatch(url):
        return "it has a character that no URL has"
    if len(url) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    try:
        return _problem(urlsplit(url))
    except ValueError:
        return "it is not a URL"


def _problem(url: SplitResult) -> str:
    if url.scheme not in ("https", "http") or not is_host(url.hostname) or url.port == 0 or url.netloc.endswith(":"):
        return "it must be https://host/path"
    if url.scheme == "http" and url.hostname not in LOOPBACK_HOSTS:
        return "http is allowed on loopback only; elsewhere it must be https"
    if "@" in url.netloc:
        return "a user name is not allowed"
    if any(part in ("", ".", "..") for part in url.path.removesuffix("/").split("/")[1:]):
        return "its path has an empty part, . or .."
    return ""
