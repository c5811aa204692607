"""`/o/launch`: a producer's own EHR registers a launch and gets its handle (EL-02)."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any

from django.db import InterfaceError, OperationalError
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import clock, lockout
from accounts.address import client_address
from accounts.models import User
from audit.trail import Event
from oauth import clients, launch
from oauth.models import Client, FhirIdentity, FhirServer
from smart import limits
from smart.audience import canonical
from smart.errors import (
    AccessDenied,
    InvalidClient,
    InvalidRequest,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    TooManyRequests,
)
from smart.launch import BadContext, Context, checked, text
from smart.parameters import Parameters
from smart.versions import resource_types

log = logging.getLogger("smartauth.launch")

ADDRESSED = ("client_id", "aud", "user", "fhirUser")
NOBODY = "is nobody who uses this FHIR base"


class TooLong(Exception):
    """A body longer than any launch needs."""


class LaunchParser(BaseParser):
    """A JSON object in which nothing is said twice."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read(limits.LAUNCH_BODY + 1)
        if len(body) > limits.LAUNCH_BODY:
            raise TooLong
        try:
            found = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise InvalidRequest("the body is not JSON in UTF-8") from None
        if not isinstance(found, dict):
            raise InvalidRequest("the body must be a JSON object")
        return found


class JsonWhateverIsAccepted(DefaultContentNegotiation):
    """There is one form of answer."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class LaunchView(APIView):
    """POST of a resource server that proves itself by its secret."""

    http_method_names = ["post"]
    permission_classes: list[Any] = []
    parser_classes = [LaunchParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JsonWhateverIsAccepted

    def post(self, request: Request) -> HttpResponseBase:
        caller = _caller(request)
        asked = {name: value for name, value in dict(request.data).items() if value is not None}
        fhir_server = _protected(caller, asked)
        client, user = _app(fhir_server, asked), _user(fhir_server, asked)
        context = _context(fhir_server, asked)
        made_by = Event(
            kind="launch-prepared", at=clock.now(), client=client.client_id, person=user.subject,
            fhir_server=fhir_server.base, patient=context.get("patient", ""), address=client_address(request._request),
            reason=f"by {caller.client_id}",
        )  # fmt: skip
        try:
            made = launch.prepare(client, fhir_server, user, context, vouching=True, made_by=made_by)
        except BadContext as problem:
            raise InvalidRequest(str(problem)) from None
        answer = {"launch": made.handle, "launch_url": made.url, "expires_in": made.seconds}
        return _answer(HTTPStatus.CREATED, answer)

    def handle_exception(self, exc: Exception) -> Any:
        """Every refusal as RFC 6749 §5.2 writes it."""
        if isinstance(exc, OAuthError):
            return _refusal(exc)
        if isinstance(exc, TooLong):
            return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _error("the body is too long"))
        if isinstance(exc, UnsupportedMediaType):
            return _answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _error("the body must be application/json"))
        if isinstance(exc, MethodNotAllowed):
            return _answer(HTTPStatus.METHOD_NOT_ALLOWED, _error("only POST is allowed here"), Allow="POST")
        log.error("a launch could not be registered", exc_info=exc)
        if isinstance(exc, OperationalError | InterfaceError):
            return _refusal(TemporarilyUnavailable("the server cannot answer now, try again"))
        return _refusal(ServerError("something failed here, try again later"))


def _caller(request: Request) -> Client:
    """The client whose secret came by Basic. Failures are counted as at the other endpoints (E58)."""
    presented = clients.credentials(request.META.get("HTTP_AUTHORIZATION"), Parameters([]))
    client, now = Client.of(presented.client_id), clock.now()
    if client is not None and client.authentication == Client.Authentication.SECRET:
        kept = clients.Kept(
            client.authentication, client.enabled,
            client.secret_digest, client.old_secret_digest, client.old_secret_until,
        )  # fmt: skip
    else:
        client, kept = None, clients.NOBODY
    if clients.proven(presented, kept, now=now) and client is not None:
        return client
    wait = lockout.failed("client", presented.client_id, client_address(request._request), now=now)
    raise TooManyRequests("too many failures, wait", retry_after=wait) if wait else InvalidClient(clients.FAILED)


def _protected(caller: Client, asked: Context) -> FhirServer:
    """The FHIR base of the launch, one that the caller protects."""
    base = canonical(_said(asked, "aud"))
    found = FhirServer.objects.filter(base=base, resource_servers__client=caller).first()
    if found is None:
        raise Forbidden("aud is not a FHIR base that this client protects")
    return found


class Forbidden(AccessDenied):
    status = HTTPStatus.FORBIDDEN


def _app(fhir_server: FhirServer, asked: Context) -> Client:
    found = launch.launchable().filter(client_id=_said(asked, "client_id"), fhir_servers=fhir_server).first()
    if found is None or not launch.opens(found):
        raise InvalidRequest("client_id is not an app with a launch URL for this FHIR base")
    return found


def _user(fhir_server: FhirServer, asked: Context) -> User:
    """Who uses the EHR, by user name or by fhirUser; somebody whom the FHIR base knows."""
    if ("user" in asked) == ("fhirUser" in asked):
        raise InvalidRequest("either user or fhirUser must say who uses the EHR")
    there = FhirIdentity.objects.filter(fhir_server=fhir_server, user__stopped_at=0)
    if "user" in asked:
        name, found = "user", there.filter(user__username=_said(asked, "user"))
    else:
        resource = _said(asked, "fhirUser").removeprefix(f"{fhir_server.base}/")
        name, found = "fhirUser", there.filter(resource=resource)
    known = list(found.select_related("user")[:2])
    if len(known) != 1:
        raise InvalidRequest(f"{name} is more than one user here; say user" if known else f"{name} {NOBODY}")
    return known[0].user


def _context(fhir_server: FhirServer, asked: Context) -> Context:
    given = {name: value for name, value in asked.items() if name not in ADDRESSED}
    try:
        return checked(given, types=resource_types(fhir_server.version))
    except BadContext as problem:
        raise InvalidRequest(str(problem)) from None


def _said(asked: Context, name: str) -> str:
    if name not in asked:
        raise InvalidRequest(f"{name} is missing")
    try:
        return text(asked[name], name, 1000)
    except BadContext as problem:
        raise InvalidRequest(str(problem)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest("a member of the body was sent twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(name)


def _error(description: str) -> dict[str, str]:
    return {"error": InvalidRequest.code, "error_description": description}


def _refusal(error: OAuthError) -> JsonResponse:
    retry = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyRequests) else {}
    told = {"error": error.code, "error_description": error.description or error.code}
    return _answer(error.status, told, **error.headers, **retry)


def _answer(status: int, body: Mapping[str, Any], **headers: str) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache", **headers})
