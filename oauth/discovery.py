"""What the server says about itself: SMART configuration, RFC 8414 and OpenID metadata, public keys.

Addresses come from SMARTAUTH_ISSUER alone, never from the request (E131). Cross-origin headers are the middleware's.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt

from accounts import clock
from oauth.http.oauth_errors import error_members
from oauth.keys import signing_keys
from oauth.models import FhirServer
from smart import metadata
from smart.fhir.audience import canonical_url
from smart.http.errors import InvalidRequest, InvalidTarget, OAuthError
from smart.metadata import (
    ServerFacts,
    authorization_server_metadata,
    openid_configuration,
    smart_configuration,
)

METHODS = ("GET", "HEAD")
CACHE = "public, max-age=60"

View = Callable[..., HttpResponse]
Builder = Callable[..., Mapping[str, Any]]


def document(found: Builder) -> View:
    """A view of a public document: JSON whatever Accept says (DS-02), cacheable, GET and HEAD only (DS-23, E130)."""

    @csrf_exempt  # a POST is answered 405, not 403
    @wraps(found)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(METHODS)})
        try:
            return _cacheable_response(request, found(request, *args, **kwargs))
        except OAuthError as error:
            return _error_response(error)

    return view


@document
def under_fhir_base(request: HttpRequest, version: str) -> Mapping[str, Any]:
    """{fhir base}/.well-known/smart-configuration of a bundled base (DS-01)."""
    return _smart_configuration_of(settings.SMARTAUTH_FHIR_BASES.get(version, ""))


@document
def by_audience(request: HttpRequest) -> Mapping[str, Any]:
    """/o/smart-configuration?aud=: the same document, for whoever serves it under a base of his own."""
    sent = request.GET.getlist("aud")
    if len(sent) != 1 or not sent[0]:
        raise InvalidRequest("aud must name one FHIR base")
    return _smart_configuration_of(sent[0])


@document
def authorization_server(request: HttpRequest) -> Mapping[str, Any]:
    """/.well-known/oauth-authorization-server (RFC 8414 §3)."""
    return authorization_server_metadata(server_facts())


@document
def openid_provider(request: HttpRequest) -> Mapping[str, Any]:
    """/.well-known/openid-configuration (OpenID Connect Discovery §4)."""
    return openid_configuration(server_facts())


@document
def protected_resource(request: HttpRequest, version: str) -> Mapping[str, Any]:
    """/.well-known/oauth-protected-resource and the path of a bundled base (DS-19)."""
    server = _find_server(settings.SMARTAUTH_FHIR_BASES.get(version, ""))
    return metadata.protected_resource(server_facts(), server.base)


@document
def jwks(request: HttpRequest) -> Mapping[str, Any]:
    """/o/jwks: public members only (DS-20)."""
    return signing_keys.public_jwks(now=clock.now())


def server_facts() -> ServerFacts:
    """What is switched on today; what later needs a setting is read here."""
    issuer = settings.SMARTAUTH_ISSUER
    return ServerFacts(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/o/authorize",
        token_endpoint=f"{issuer}/o/token",
        introspection_endpoint=f"{issuer}/o/introspect",
        revocation_endpoint=f"{issuer}/o/revoke",
        jwks_uri=f"{issuer}/o/jwks",
        userinfo_endpoint=f"{issuer}/o/userinfo",
        end_session_endpoint=f"{issuer}/o/logout",
        management_endpoint=f"{issuer}/apps",
        openid=True,
        client_authentication=frozenset({"none", "secret", "keys"}),
        secret_in_token_body=settings.SMARTAUTH_TOKEN_SECRET_IN_BODY,
    )


def _smart_configuration_of(base: str) -> Mapping[str, Any]:
    _find_server(base)
    return smart_configuration(server_facts())


def _find_server(base: str) -> FhirServer:
    found = None if "\0" in base else FhirServer.objects.filter(base=canonical_url(base)).first()
    if found is None:
        raise InvalidTarget("this server protects no such FHIR base")
    return found


def _cacheable_response(request: HttpRequest, content: Mapping[str, Any]) -> HttpResponse:
    body = json.dumps(content, indent=2).encode()
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"Cache-Control": CACHE, "ETag": etag}
    response = HttpResponse(body, content_type="application/json", headers=headers)
    conditional = get_conditional_response(request, etag=etag, response=response)
    return conditional if isinstance(conditional, HttpResponse) else response


def _error_response(error: OAuthError) -> HttpResponse:
    """400 for a bad question, 404 for a base that is not here; not cached, since it may be added any minute."""
    status = HTTPStatus.NOT_FOUND if isinstance(error, InvalidTarget) else error.status
    body = error_members(error.code, error.description)
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
