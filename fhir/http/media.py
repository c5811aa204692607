"""Which media type and FHIR version a request wants or brings (FHIR http, content negotiation; SD-28)."""

from email.message import Message

from fhir.operation_outcome import NotAcceptable, UnsupportedMediaType
from fhir.versions.version import Version

FORM = "application/x-www-form-urlencoded"
_WILDCARDS = ("*/*", "application/*")
_SHORT_FORMATS = ("json",)


def check_accept(accept: str, format_: str, version: Version) -> None:
    """Raises NotAcceptable unless a range takes JSON in this base's FHIR version. `_format` stands over Accept."""
    if format_ in _SHORT_FORMATS:
        return
    ranges = (format_.replace(" ", "+") or accept or "*/*").split(",")
    if not any(_acceptable(part, version) for part in ranges):
        raise NotAcceptable


def check_form(content_type: str, version: Version) -> None:
    """Raises UnsupportedMediaType for a body that is not a form, or one meant for another FHIR version."""
    name, asked = _parsed(content_type)
    if name != FORM or asked not in ("", version.mime_parameter):
        raise UnsupportedMediaType


def _acceptable(part: str, version: Version) -> bool:
    name, asked = _parsed(part)
    return name in (*version.media_types, *_WILDCARDS) and asked in ("", version.mime_parameter)


def _parsed(value: str) -> tuple[str, str]:
    """The media type and its fhirVersion parameter."""
    message = Message()
    message["content-type"] = " ".join(value.split())
    asked = message.get_param("fhirversion", "")
    return message.get_content_type() if value.strip() else "", str(asked)
