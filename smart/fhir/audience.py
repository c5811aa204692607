"""Which FHIR base is meant (AZ-08, TV-23): case of scheme and host and one final slash do not count, all else does."""

import re

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#@]*)(?P<rest>.*)", re.DOTALL)


def canonical_url(url: str) -> str:
    """The one spelling that is stored and compared. An explicit default port stays: `:443` is another audience."""
    match = _URL.fullmatch(url.removesuffix("/"))
    if match is None:
        return url
    return f"{match['scheme'].lower()}://{match['authority'].lower()}{match['rest']}"


def is_same_audience(one: str, other: str) -> bool:
    """Whether both name the same FHIR base; never by prefix."""
    return canonical_url(one) == canonical_url(other)
