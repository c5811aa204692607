"""What the server says about itself: SMART configuration, RFC 8414 and OpenID metadata, public keys.

Addresses come from SMARTAUTH_ISSUER alone, never from the request (E131). Cross-origin headers are the middleware's.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import clock
from oauth.http.public_documents import public_document
from oauth.keys import signing_keys
from oauth.models import FhirServer
from smart import metadata
from smart.fhir.audience import canonical_url
from smart.http.errors import InvalidRequest, InvalidTarget
from smart.metadata import (
    authorization_server_metadata,
    openid_configuration,
    smart_configuration,
)
from smart.server_facts import ServerFacts


@public_document
def under_fhir_base(request: HttpRequest, version: str) -> Mapping[str, Any]:
    """{fhir base}/.well-known/smart-configuration of a bundled base (DS-01)."""
    return _smart_configuration_of(settings.SMARTAUTH_FHIR_BASES.get(version, ""))


@public_document
def by_audience(request: HttpRequest) -> Mapping[str, Any]:
    """/o/smart-configuration?aud=: the same document, for producers who serve it under a base of their own."""
    sent = request.GET.getlist("aud")
    if len(sent) != 1 or not sent[0]:
        raise InvalidRequest("aud must name one FHIR base", rule="DS-01")
    return _smart_configuration_of(sent[0])


@public_document
def authorization_server(request: HttpRequest) -> Mapping[str, Any]:
    """/.well-known/oauth-authorization-server (RFC 8414 §3)."""
    return authorization_server_metadata(server_facts())


@public_document
def openid_provider(request: HttpRequest) -> Mapping[str, Any]:
    """/.well-known/openid-configuration (OpenID Connect Discovery §4)."""
    return openid_configuration(server_facts())


@public_document
def protected_resource(request: HttpRequest, version: str) -> Mapping[str, Any]:
    """/.well-known/oauth-protected-resource and the path of a bundled base (DS-19)."""
    server = _find_server(settings.SMARTAUTH_FHIR_BASES.get(version, ""))
    return metadata.protected_resource(server_facts(), server.base)


@public_document
def authzen_configuration(request: HttpRequest) -> Mapping[str, Any]:
    """/.well-known/authzen-configuration (AuthZEN §9)."""
    return metadata.authzen_configuration(settings.SMARTAUTH_ISSUER)


@public_document
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
    found = FhirServer.of(canonical_url(base))
    if found is None:
        raise InvalidTarget("this server protects no such FHIR base", rule="DS-01", presented=base)
    return found
