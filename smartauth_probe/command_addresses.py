"""Addresses on the command line: none with a name or a password, which would stand in messages and reports."""

import re
from urllib.parse import urlsplit

from smartauth_probe.target.discovery import CouldNotRun

HOST_ENDS = re.compile(r"(?<=[^/:])[/?#]")  # whatever is wrong with the slashes before it


def refuse_unless_http(what: str, url: str) -> None:
    """Raises CouldNotRun, whose words repeat no password."""
    refuse_password(what, url)
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is no number
        is_http = False
    if not is_http:
        raise CouldNotRun(f"{'This' if '@' in url else url} is no {what}: it begins with http:// or https://")


def refuse_password(what: str, url: str) -> None:
    """Raises CouldNotRun."""
    if has_password(url):
        raise CouldNotRun(f"The {what} holds a name or a password: leave them out.")


def has_password(url: str) -> bool:
    """Whether it holds a name or a password before its host."""
    return "@" in HOST_ENDS.split(url, maxsplit=1)[0]
