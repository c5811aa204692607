"""Which media type and FHIR version a request wants or brings (FHIR http, content negotiation; SD-28)."""

from collections.abc import Iterable

from fhir.operation_outcome import NotAcceptable, UnsupportedMediaType
from fhir.versions.version import Version
from smart.http.media_types import FORM, MediaType, parse_accept, parse_media_type

_VERSION = "fhirversion"
_SHORT_FORMATS = ("json",)


def answer_type(accept: str, format_: str, version: Version) -> str:
    """The media type to answer in: this base's own, or the first that was not refused. `_format` stands over Accept.

    Raises NotAcceptable unless a range takes JSON in the FHIR version of this base.
    """
    if format_ in _SHORT_FORMATS:
        return version.media_types[0]
    ranges = [range_ for range_ in parse_accept(format_.replace(" ", "+") or accept or "*/*") if _fits(range_, version)]
    matched = {name: _closest(name, ranges) for name in version.media_types}
    if not any(range_ and not range_.is_refused for range_ in matched.values()):
        raise NotAcceptable
    return next(name for name, range_ in matched.items() if range_ is None or not range_.is_refused)


def check_form(content_type: str, version: Version) -> None:
    """Raises UnsupportedMediaType for a body that is not a form, or one meant for another FHIR version."""
    sent = parse_media_type(content_type)
    if sent.name != FORM or not _fits(sent, version):
        raise UnsupportedMediaType


def _fits(sent: MediaType, version: Version) -> bool:
    """Whether it names the FHIR version of this base, or none."""
    named = [value for name, value in sent.parameters.items() if name.partition("*")[0] == _VERSION]
    return all(value in ("", version.mime_parameter) for value in named)


def _closest(name: str, ranges: Iterable[MediaType]) -> MediaType | None:
    """The range that says most about the type; None where none is about it (RFC 9110 §12.5.1)."""
    spellings = (name, "application/*", "*/*") if name.startswith("application/") else (name, "*/*")
    about = [range_ for range_ in ranges if range_.name in spellings]
    return min(about, key=lambda range_: spellings.index(range_.name), default=None)
