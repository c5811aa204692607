"""Addresses in narrow columns."""

from urllib.parse import urlsplit

from django.utils.html import format_html


def breakable(url: str) -> str:
    """The URL as HTML that a line breaks before its path, and not within a name."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    return format_html("{}<wbr>{}", origin, url.removeprefix(origin))
