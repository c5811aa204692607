"""A FHIR server in Django REST framework that asks smartauth about every token. Run it: python server.py"""

import json
import os
import re
import time
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from wsgiref.simple_server import make_server

import django
import httpx
from django.conf import settings

BASE, INTROSPECT = os.environ["FHIR_BASE"], os.environ["INTROSPECT"]
ME = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
CONFIGURATION = urljoin(INTROSPECT, f"smart-configuration?aud={quote(BASE, safe='')}")

settings.configure(
    SECRET_KEY="not used: no sessions here",  # noqa: S106
    ALLOWED_HOSTS=["127.0.0.1", urlsplit(BASE).hostname],
    ROOT_URLCONF=__name__,
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, NotFound  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

# The part to copy -----------------------------------------------------------------------------------------------------

http = httpx.Client(timeout=3)
document: dict[str, Any] = {}


def json_answer(method: str, url: str, **options: Any) -> Any:
    """JSON of at most 1 MB, within three seconds; httpx counts each read anew. Raises httpx.HTTPError, ValueError."""
    end, body = time.monotonic() + 3, b""
    with http.stream(method, url, **options) as answer:
        for piece in answer.raise_for_status().iter_bytes():
            body += piece
            if len(body) > 1_000_000 or time.monotonic() > end:
                raise httpx.ReadTimeout("the answer is too long")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the answer is nested too deep") from None


class SmartBearer(BaseAuthentication):
    """`request.auth` becomes the claims of a live token that was made for this server. Nothing is cached."""

    def authenticate(self, request: Request) -> tuple[None, dict[str, Any]]:
        bearer = re.fullmatch(r"(?i)bearer +([A-Za-z0-9._~+/-]{1,16000}=*)", request.headers.get("Authorization", ""))
        if bearer is None:
            raise NotAuthenticated
        try:
            claims = json_answer("POST", INTROSPECT, data={"token": bearer[1]}, auth=ME)
        except (httpx.HTTPError, ValueError):
            raise Unavailable from None
        if not isinstance(claims, dict) or not is_for_us(claims):
            raise AuthenticationFailed
        return None, claims

    def authenticate_header(self, request: Request) -> str:
        presented = request.headers.get("Authorization", "").lower().startswith("bearer ")
        return 'Bearer error="invalid_token"' if presented else "Bearer"


def is_for_us(claims: dict[str, Any]) -> bool:
    """Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key."""
    aud = claims.get("aud")
    return claims.get("active") is True and "cnf" not in claims and BASE in (aud if isinstance(aud, list) else [aud])


class Unavailable(APIException):
    status_code = 503
    default_detail = "The authorization server does not answer."
    wait = 5  # Retry-After


class InsufficientScope(APIException):
    status_code = 403
    default_detail = "The token does not allow this."
    auth_header = 'Bearer error="insufficient_scope"'


def patient_of(request: Request, resource: str, letter: str) -> str:
    """The one patient that this request may see. Raises InsufficientScope."""
    claims: Any = request.auth
    scope, patient = claims.get("scope"), claims.get("patient")
    if isinstance(scope, str) and isinstance(patient, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,64}", patient):
        for name in scope.split():
            held = re.fullmatch(r"patient/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)", name)
            letters = held and {"read": "rs", "write": "cud", "*": "cruds"}.get(held[2], held[2])
            if held and letters and held[1] in ("*", resource) and letter in letters:
                return patient
    raise InsufficientScope


def smart_configuration() -> Any:
    """smartauth's document about this base, read again after five minutes. Raises httpx.HTTPError, ValueError."""
    if document.get("stale_at", 0.0) < time.monotonic():
        content = json_answer("GET", CONFIGURATION)
        document.update(content=content, stale_at=time.monotonic() + 300)
    return document["content"]


class SmartConfiguration(APIView):
    """Public: apps read it before they have a token."""

    authentication_classes = ()

    def get(self, request: Request) -> Response:
        try:
            return Response(smart_configuration(), headers={"Access-Control-Allow-Origin": "*"})
        except (httpx.HTTPError, ValueError):
            raise Unavailable from None


# Your server ----------------------------------------------------------------------------------------------------------

PATIENTS = {key: {"resourceType": "Patient", "id": key} for key in ("amy", "ben")}


class FhirRenderer(JSONRenderer):
    media_type = "application/fhir+json"


class Patient(APIView):
    authentication_classes = (SmartBearer,)
    renderer_classes = (FhirRenderer, JSONRenderer)

    def get(self, request: Request, key: str = "") -> Response:
        visible = {patient_of(request, "Patient", "r" if key else "s")} & set(PATIENTS)
        if not key:
            asked = request.query_params.getlist("_id") or list(PATIENTS)
            found = [{"resource": PATIENTS[each]} for each in asked if each in visible]
            return Response({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})
        if key not in visible:
            raise NotFound
        return Response(PATIENTS[key])


root = f"{urlsplit(BASE).path}/".lstrip("/")
urlpatterns = [
    path(f"{root}.well-known/smart-configuration", SmartConfiguration.as_view()),
    path(f"{root}Patient", Patient.as_view()),
    path(f"{root}Patient/<str:key>", Patient.as_view()),
]

if __name__ == "__main__":
    port = int(os.environ.get("PORT") or urlsplit(BASE).port or 80)
    make_server("127.0.0.1", port, get_wsgi_application()).serve_forever()
