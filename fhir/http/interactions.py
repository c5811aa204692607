"""What this server does once a request is allowed: read, search, and say what it can."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework.request import Request

from fhir.http import bundle, media
from fhir.http.capability_statement import capability_statement
from fhir.http.routes import all_routes
from fhir.outcome import BadRequest, LengthRequired, TooLarge
from fhir.search import query
from fhir.store import lookup
from fhir.token.permissions import Permissions
from fhir.versions import ResourceType, Version
from smart.fhir.versions import resource_types
from smart.http.limits import size_refusal


@dataclass(frozen=True, slots=True)
class Interaction:
    """An allowed interaction: on what, and how far the caller's scopes reach."""

    request: Request
    version: Version
    base: str
    resource_type: ResourceType
    resource_id: str
    reach: Permissions


def read(call: Interaction) -> str:
    """The resource as it was stored (FHIR http, read)."""
    return lookup.find(call.version, call.resource_type.name, call.resource_id, call.reach).content


def search_type(call: Interaction) -> str:
    """A searchset of what may be seen; GET and POST _search are judged alike (SR-01)."""
    strict = "handling=strict" in call.request.headers.get("Prefer", "").replace(" ", "").lower()
    asked = query.parse_search(_sent(call), call.resource_type, call.base, strict=strict)
    found, total = lookup.page(call.version, call.resource_type.name, call.reach, asked)
    return bundle.searchset(found, total, asked, f"{call.base}/{call.resource_type.name}", call.base)


def statement(version: Version, base: str) -> str:
    """What the routes serve at this base; the same for everybody."""
    uris: Mapping[str, str] = getattr(settings, "SMARTAUTH_FHIR_OAUTH_URIS", {})
    name = getattr(settings, "SMARTAUTH_FHIR_NAME", "Harbour Clinic")
    routes = all_routes(resource_types(version.key))
    return json.dumps(capability_statement(version, routes, HANDLERS, {"description": name, "url": base}, uris))


def url_parameters(request: Request) -> query.Pairs:
    """The parameters in the URL. A token among them is a parameter that nobody knows (TV-17)."""
    raw = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    _check_size(query=len(raw), body=0)
    return query.parse_parameters(raw)


def _sent(call: Interaction) -> query.Pairs:
    pairs = url_parameters(call.request)
    if call.request.method != "POST":
        return pairs
    body = _body(call.request)
    if body:
        media.check_form(call.request.META.get("CONTENT_TYPE", ""), call.version)
    posted = query.parse_parameters(body)
    if any(name == "access_token" for name, _ in posted):
        raise BadRequest("One access token, in the Authorization header.")
    return pairs + posted


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


HANDLERS: Mapping[str, Callable[[Interaction], str]] = {"read": read, "search-type": search_type}
