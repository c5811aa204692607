"""What the JSON endpoints for machines share: one object in, one answer out, and a caller who proves himself."""

import asyncio
import logging
import threading
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import IO, Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import clock
from oauth.clients.authentication import authenticate, run_as_client
from oauth.clients.credentials import AUTHENTICATION_FAILED, AuthenticatedClient, parse_credentials
from oauth.clients.jwks_cache import KeysNotCached
from oauth.http.endpoint import MachineRequest, count_failure, error_answer
from oauth.models import Client, FhirServer
from smart.authorize.launch import InvalidContext, parse_text
from smart.fhir.audience import canonical_url
from smart.http import limits, strict_json
from smart.http.errors import (
    AccessDenied,
    InvalidClient,
    InvalidRequest,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
)
from smart.http.parameters import Parameters

log = logging.getLogger("smartauth.json_endpoint")

Members = Mapping[str, Any]
_NEVER_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
ASSERTION = ("client_assertion", "client_assertion_type")
# Of the threads that answer people too only half may wait for the servers of clients, however slow those are.
_threads_that_may_wait = threading.BoundedSemaphore(max(1, settings.SMARTAUTH_WEB_THREADS // 2))


class BodyTooLong(Exception):
    """A body longer than anybody needs."""


class Forbidden(AccessDenied):
    status = HTTPStatus.FORBIDDEN


class JsonObjectParser(BaseParser):
    """A JSON object in which nothing is said twice."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read(limits.MAX_JSON_BODY + 1)
        if len(body) > limits.MAX_JSON_BODY:
            raise BodyTooLong
        try:
            found = strict_json.loads(body.decode())
        except strict_json.DuplicateMember:
            raise InvalidRequest("a member of the body was sent twice") from None
        except ValueError:
            raise InvalidRequest("the body is not JSON in UTF-8") from None
        if not isinstance(found, dict):
            raise InvalidRequest("the body must be a JSON object")
        return found


class AlwaysJson(DefaultContentNegotiation):
    """There is one form of answer."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class JsonEndpoint(APIView):
    """POST of a JSON object. Every refusal as RFC 6749 §5.2 writes it."""

    http_method_names = ["post"]
    permission_classes: list[Any] = []
    parser_classes = [JsonObjectParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJson

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, OAuthError):
            return _refusal(exc)
        if isinstance(exc, BodyTooLong):
            return json_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _error("the body is too long"))
        if isinstance(exc, UnsupportedMediaType):
            return json_answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _error("the body must be application/json"))
        if isinstance(exc, MethodNotAllowed):
            return json_answer(HTTPStatus.METHOD_NOT_ALLOWED, _error("only POST is allowed here"), Allow="POST")
        log.error("%s failed", type(self).__name__, exc_info=exc)
        if isinstance(exc, OperationalError | InterfaceError):
            return _refusal(TemporarilyUnavailable("the server cannot answer now, try again"))
        return _refusal(ServerError("something failed here, try again later"))


def json_body(request: Request) -> dict[str, Any]:
    """The members of the body that say something, without those that only prove who sent it. Raises InvalidRequest."""
    if ASSERTION[0] in dict(request.data) and "HTTP_AUTHORIZATION" in request.META:
        raise InvalidRequest("the client authenticated in two ways")
    return {name: value for name, value in dict(request.data).items() if value is not None and name not in ASSERTION}


def reject_unknown(asked: Members, names: Collection[str]) -> None:
    """Raises InvalidRequest for a member that has another name."""
    for name in asked:
        if name not in names:
            raise InvalidRequest(f"{name[:40]} is not known here")


def required_text(asked: Members, name: str, most: int = 1000) -> str:
    """A member that must be there, as text. Raises InvalidRequest."""
    if name not in asked:
        raise InvalidRequest(f"{name} is missing")
    try:
        return parse_text(asked[name], name, most)
    except InvalidContext as problem:
        raise InvalidRequest(str(problem)) from None


def authenticate_confidential(request: Request) -> AuthenticatedClient:
    """The confidential client that sent the request. Failures are counted as at the other endpoints (E58)."""
    machine = _machine_request(request)
    try:
        found = _authenticate_and_wait(machine)
        if found.authentication == Client.Authentication.NONE:
            raise InvalidClient(AUTHENTICATION_FAILED, hint="a public client proves nothing")
    except InvalidClient as error:
        raise count_failure(error, machine) from None
    return found


def _authenticate_and_wait(machine: MachineRequest) -> AuthenticatedClient:
    """The client; while its keys are fetched this thread waits. Raises InvalidClient or TemporarilyUnavailable."""
    try:
        return authenticate(machine)
    except KeysNotCached:
        pass
    if not _threads_that_may_wait.acquire(blocking=False):
        raise TemporarilyUnavailable("too many clients' keys are being fetched, try again")
    try:
        return asyncio.run(run_as_client(machine, lambda client: client))
    finally:
        _threads_that_may_wait.release()


def has_client_credentials(request: Request) -> bool:
    """Whether a client wants to prove itself, so that no session of a browser counts."""
    return "HTTP_AUTHORIZATION" in request.META or ASSERTION[0] in dict(request.data)


def protected_fhir_server(client: AuthenticatedClient, base: str) -> FhirServer:
    """The FHIR base of that address, one that the caller protects. Raises Forbidden."""
    found = FhirServer.objects.filter(base=canonical_url(base), resource_servers__client=client.pk).first()
    if found is None:
        raise Forbidden("aud is not a FHIR base that this client protects")
    return found


def json_answer(status: int, body: Mapping[str, Any], **headers: str) -> JsonResponse:
    return JsonResponse(body, status=status, headers={**_NEVER_KEPT, **headers})


def _machine_request(request: Request) -> MachineRequest:
    """The request as the machines' side knows one: credentials by Basic, or an assertion among the members."""
    header = request.META.get("HTTP_AUTHORIZATION")
    body = {} if header is not None else dict(request.data)
    assertion = [(name, body[name]) for name in ASSERTION if isinstance(body.get(name), str)]
    parameters = Parameters(assertion)
    forwarded = {b"x-forwarded-for": request.META.get("HTTP_X_FORWARDED_FOR", "").encode("latin-1", "replace")}
    return MachineRequest(
        path=request.path,
        headers=forwarded,
        peer=request.META.get("REMOTE_ADDR", ""),
        parameters=parameters,
        credentials=parse_credentials(header, parameters),
        now=clock.now(),
    )


def _error(description: str) -> dict[str, str]:
    return {"error": InvalidRequest.code, "error_description": description}


def _refusal(error: OAuthError) -> HttpResponse:
    """The same words as at the machines' door."""
    refused = error_answer(error)
    return HttpResponse(
        refused.body,
        status=refused.status,
        content_type="application/json",
        headers={**_NEVER_KEPT, **dict(refused.headers)},
    )
