"""Which FHIR base is meant (AZ-08, TV-23): case of scheme and host and one final slash do not count, all else does."""

import re
from collections.abc import Collection

from smart.http.errors import InvalidRequest, InvalidTarget

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


def requested_base(aud: str, resource: str, bases: Collection[str]) -> str:
    """The base meant by `aud` or its synonym `resource` (RFC 8707 §2), "" where neither was sent.

    `bases` are those in reach, in canonical spelling. Raises InvalidTarget or InvalidRequest (AZ-08, AZ-09).
    """
    if resource and canonical_url(resource) not in bases:
        raise InvalidTarget(
            "resource is not a FHIR base that this client may use here",
            rule="AZ-09",
            case="E20",
            presented=resource,
            expected=", ".join(sorted(bases)),
        )
    if aud and canonical_url(aud) not in bases:
        raise InvalidRequest(
            "aud is not a FHIR base that this client may use here",
            rule="AZ-08",
            case="E19",
            presented=aud,
            expected=", ".join(sorted(bases)),
        )
    if aud and resource and not is_same_audience(aud, resource):
        raise InvalidRequest("resource and aud must agree", rule="AZ-09", case="E20", presented=resource, expected=aud)
    return canonical_url(aud or resource)
