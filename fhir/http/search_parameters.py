"""The parameters of a search, from the URL and from a posted form (FHIR search, POST _search)."""

from django.http import UnreadablePostError
from rest_framework.request import Request

from fhir.http import media
from fhir.operation_outcome import BadRequest, LengthRequired, TooLarge
from fhir.search import query
from fhir.versions.version import Version
from smart.http.limits import size_refusal


def url_parameters(request: Request) -> query.Pairs:
    """The parameters in the URL. A token among them is a parameter that nobody knows (TV-17)."""
    raw = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    _check_size(query=len(raw), body=0)
    return query.parse_parameters(raw)


def form_parameters(request: Request, version: Version) -> query.Pairs:
    """Those of a search by POST. Raises BadRequest for a token among them (RFC 6750 §2.2)."""
    body = _body(request)
    if body:
        media.check_form(request.META.get("CONTENT_TYPE", ""), version)
    posted = query.parse_parameters(body)
    if any(name == "access_token" for name, _ in posted):
        raise BadRequest("One access token, in the Authorization header.")
    return posted


def _body(request: Request) -> bytes:
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise BadRequest("Content-Length is no number.")
    _check_size(query=0, body=int(length[:12]))
    try:
        return request._request.body
    except UnreadablePostError as error:
        raise BadRequest("The body could not be read.") from error


def _check_size(*, query: int, body: int) -> None:
    if (status := size_refusal(query=query, body=body)) is not None:
        raise TooLarge(status)
