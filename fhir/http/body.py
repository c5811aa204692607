"""The body of a request: a form, a resource, a patch. Bounded, of one meaning, and of this base's FHIR version."""

from collections.abc import Collection
from typing import Any

from django.http import UnreadablePostError
from rest_framework.request import Request

from fhir.operation_outcome import BadRequest, LengthRequired, TooLarge, UnsupportedMediaType
from fhir.versions.version import Version
from smart.http import strict_json
from smart.http.limits import MAX_BATCH_BODY, MAX_MACHINE_BODY, size_refusal
from smart.http.media_types import parse_media_type

JSON_PATCH = "application/json-patch+json"  # RFC 6902
MAX_DEPTH = 64
_VERSION = "fhirversion"


def raw_body(request: Request, *, limit: int = MAX_MACHINE_BODY) -> bytes:
    """The body, at most that long. Raises LengthRequired, TooLarge or BadRequest."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise BadRequest("Content-Length is no number.")
    if (status := size_refusal(query=0, body=int(length[:12]), body_limit=limit)) is not None:
        raise TooLarge(status)
    try:
        return request._request.body
    except UnreadablePostError as error:
        raise BadRequest("The body could not be read.") from error


def json_body(request: Request, version: Version, interaction: str) -> str:
    """The text of a resource, or of a patch. Raises UnsupportedMediaType or BadRequest."""
    body = raw_body(request, limit=MAX_BATCH_BODY)
    accepted = (JSON_PATCH,) if interaction == "patch" else version.media_types
    _check_type(request.META.get("CONTENT_TYPE", ""), accepted, version)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("The body is no UTF-8.") from None
    parse_strictly(text)
    return text


def parse_strictly(text: str) -> Any:
    """What the JSON says, of bounded depth and without half characters. Raises BadRequest."""
    try:
        content = strict_json.loads(text)
        text.encode()
    except (ValueError, RecursionError):
        raise BadRequest("The body is no JSON, or a member stands twice in one object.") from None
    if _is_deeper(content, MAX_DEPTH) or _has_half_characters(content):
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels, or holds half a character.")
    return content


def _check_type(content_type: str, accepted: Collection[str], version: Version) -> None:
    sent = parse_media_type(content_type)
    named = [value for name, value in sent.parameters.items() if name.partition("*")[0] == _VERSION]
    if sent.name not in accepted or any(value not in ("", version.mime_parameter) for value in named):
        raise UnsupportedMediaType("Send " + " or ".join(accepted[:1] if isinstance(accepted, tuple) else accepted))


def _is_deeper(content: Any, levels: int) -> bool:
    waiting = [(content, 1)]
    while waiting:
        value, depth = waiting.pop()
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if inner and depth > levels:
            return True
        waiting.extend((one, depth + 1) for one in inner)
    return False


def _has_half_characters(content: Any) -> bool:
    """A surrogate without its other half, written as an escape: no text that could be stored (RFC 8259 §8.2)."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((*value, *value.values()))
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            return True
    return False
