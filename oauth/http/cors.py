"""CORS on both sides by the rules of smart.http.cors; the origins are those of the clients (CO-01 to CO-08)."""

import logging
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from oauth.models import Origin, sql
from smart.explanation import HEADER as REASON
from smart.http.cors import CLIENT_ID, FHIR_METHODS, Cors, cors_headers, is_preflight
from smart.http.cors_advice import origin_advice
from smart.text import replace_unsafe_characters

log = logging.getLogger("smartauth.cors")

_REGISTERED = """
SELECT 1 FROM oauth_origin o JOIN oauth_client c ON c.id = o.client_id WHERE o.origin = %s AND c.enabled = 1
"""
_OF_CLIENT = f"{_REGISTERED} AND c.client_id = %s"  # no value is part of the text
EXPOSE = "Access-Control-Expose-Headers"
LONGEST_SHOWN = 200
MOST_ORIGINS = 100
# whole paths: by a part of one, a record or a page whose name ends like a document would be open too
_PUBLIC_DOCUMENT = re.compile(
    r"/o/jwks|/o/smart-configuration|/o/style/[^/]+\.json"
    r"|/\.well-known/(oauth-authorization-server|openid-configuration|oauth-protected-resource/fhir/[^/]+)"
    r"|/fhir/[^/]+/(metadata|\.well-known/smart-configuration)"
)


def cors_headers_for(
    rule: Cors, origin: str, *, client: str = "", methods: Iterable[str] = ("POST",), preflight: bool = False
) -> dict[str, str]:
    """The CORS headers of an answer: for the origins of the client that has proved itself (CO-02).

    Where nobody has, any client's origin will do: a preflight carries no client (CO-03), and what an error says then is
    the same for all (CO-04). A client that is only named counts as nobody, else the headers told whether it exists.
    """
    registered = {origin} if rule is Cors.REGISTERED and origin and _is_registered(origin, client) else set()
    if settings.SMARTAUTH_DEV and rule is Cors.REGISTERED and origin and not registered:
        _log_foreign(origin)
    headers = cors_headers(rule, origin, registered, methods=methods, preflight=preflight)
    if settings.SMARTAUTH_DEV and EXPOSE in headers:
        headers[EXPOSE] += f", {REASON}"
    return headers


@lru_cache(maxsize=MOST_ORIGINS)  # a page asks many times: each origin is warned of and looked up once
def _log_foreign(origin: str) -> None:
    """For the developer: the browser tells neither them nor the page why the answer may not be read."""
    if origin == settings.SMARTAUTH_ISSUER:
        return  # our own pages may read it without any header
    known = Origin.objects.filter(client__enabled=True).values_list("origin", flat=True).distinct()
    advice = origin_advice(origin, known, issuer=settings.SMARTAUTH_ISSUER)
    shown = replace_unsafe_characters(origin, "?")[:LONGEST_SHOWN]
    log.warning("CORS: pages of %s may not read this answer. %s", shown, advice)


def _is_registered(origin: str, client: str) -> bool:
    if "\0" in origin:
        return False
    found = sql.value(_OF_CLIENT, [origin, client]) if client else sql.value(_REGISTERED, [origin])
    return found is not None


def cors_rule(path: str) -> Cors:
    """Who may read what the people's side answers under this path."""
    if _PUBLIC_DOCUMENT.fullmatch(path):
        return Cors.ANY
    return Cors.REGISTERED if path == "/o/userinfo" or path.startswith("/fhir/") else Cors.NONE


def _allowed_methods(rule: Cors, path: str) -> tuple[str, ...]:
    if rule is Cors.ANY:
        return ("GET", "HEAD")
    return FHIR_METHODS if path.startswith("/fhir/") else ("GET", "POST")


class CorsMiddleware:
    """Adds the headers to every answer of the people's side, refusals too, and answers preflights."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        rule, origin = cors_rule(request.path), request.headers.get("Origin", "")
        if rule is Cors.NONE:
            return self.get_response(request)
        method = request.method or ""
        preflight = is_preflight(method, origin, request.headers.get("Access-Control-Request-Method", ""))
        response = HttpResponse(status=HTTPStatus.NO_CONTENT) if preflight else self.get_response(request)
        client, methods = request.META.get(CLIENT_ID, ""), _allowed_methods(rule, request.path)
        try:
            added = cors_headers_for(rule, origin, client=client, methods=methods, preflight=preflight)
        except (OperationalError, InterfaceError):
            return response
        for name, value in added.items():
            response[name] = value
        return response
