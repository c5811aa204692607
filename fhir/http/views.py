"""One view for every route, in one order: token, scope, then data (checklist, order of checks to implement)."""

import logging
import time
import traceback
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fhir.http import interactions, media
from fhir.http.routes import NOWHERE, PUBLIC, Route
from fhir.http.search_parameters import url_parameters
from fhir.operation_outcome import (
    Failure,
    InsufficientScope,
    InvalidToken,
    MethodNotAllowed,
    NotFound,
    Refusal,
    TypeNotServed,
    Unavailable,
)
from fhir.token import bearer, introspection_client
from fhir.token.refusal_reports import reports
from fhir.versions.version import Version
from smart.decisions.interactions import LETTERS
from smart.decisions.subject import InvalidClaims, Subject, read_subject
from smart.decisions.view import OutOfScope, View, view_of
from smart.explanation import HEADER, explain_response
from smart.http.about_token import ABOUT_TOKEN
from smart.http.cors import CLIENT_ID

logger = logging.getLogger(__name__)


class FhirRenderer(BaseRenderer):
    """Text as it is: a resource leaves as it was stored."""

    media_type = "application/fhir+json"
    format = "json"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data).encode()


class FhirView(APIView):
    """A route at work. It cannot be mounted without one, so nothing is served without a declared interaction."""

    version: Version = None  # type: ignore[assignment]  # as_view demands both
    route: Route = None  # type: ignore[assignment]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    token = ""
    media_type = ""
    records: View = ()
    parser_classes = ()
    renderer_classes = (FhirRenderer,)
    default_response_headers = {"Cache-Control": "no-store"}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Raises ImproperlyConfigured unless a Route says what may happen here (SD-23)."""
        if not (isinstance(initkwargs.get("route"), Route) and isinstance(initkwargs.get("version"), Version)):
            raise ImproperlyConfigured("A FHIR view is mounted with a version and a route that declares interactions.")
        return super().as_view(**initkwargs)

    @property
    def base(self) -> str:
        """This version's base as configured, never what the request's Host says."""
        return str(settings.SMARTAUTH_FHIR_BASES[self.version.key]).rstrip("/")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is looked up before it is known who asks and how far their scopes reach (HI-05)."""
        if not self.route.public:
            self.records = self._view(self._subject(request))
        elif self.route.interaction(request.method) is None:
            raise self._not_allowed()

    def answer(self, request: Request, **kwargs: str) -> Response:
        """What the declared interaction of this method gives, if this server does it for the type."""
        form = dict(url_parameters(request)).get("_format", "")
        self.media_type = media.answer_type(request.META.get("HTTP_ACCEPT", ""), form, self.version)
        if self.route.public:
            return self._response(interactions.capabilities(self.version, self.base))
        resource_type = self.version.types.get(kwargs["type"])
        if resource_type is None or not self.records:
            raise TypeNotServed
        interaction = self.route.interaction(request.method)
        if interaction not in resource_type.interactions or interaction not in interactions.HANDLERS:
            raise self._not_allowed()
        asked = interactions.Interaction(
            request, self.version, self.base, resource_type, kwargs.get("id", ""), self.records
        )
        return self._response(interactions.HANDLERS[interaction](asked))

    get = post = put = patch = delete = answer

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal as an OperationOutcome; a failure without a word about itself."""
        if isinstance(exc, OperationalError | InterfaceError):
            exc = Unavailable("The records cannot be reached just now.")
        if not isinstance(exc, Refusal):
            # frames only: the message of an exception may hold what was sent or stored
            logger.error("%s\n%s", type(exc).__name__, "".join(traceback.format_tb(exc.__traceback__)))
            exc = Failure()
        if isinstance(exc, InsufficientScope) or (self.records and isinstance(exc, NotFound)):
            reports.add(self.token, exc.status_code)
        response = self._response(exc.outcome(), exc.status_code, exc.headers)
        explain_response(response, exc.explanation)
        if settings.SMARTAUTH_DEV:
            response[HEADER] = exc.explanation.line
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise self._not_allowed()

    options = http_method_not_allowed

    def _subject(self, request: Request) -> Subject:
        request.META[ABOUT_TOKEN] = {"aud": self.base}
        self.token = bearer.bearer_token(request.META, self.base)
        claims = introspection_client.introspect(self.token, introspection_client.caller_address(request.META))
        request.META[ABOUT_TOKEN] = {**(claims or {}), "aud": self.base}
        request.META[CLIENT_ID] = str((claims or {}).get("client_id", ""))
        try:
            return read_subject(claims, self.base, time.time())
        except InvalidClaims as refusal:
            raise InvalidToken(self.base, refusal.why) from refusal

    def _view(self, subject: Subject) -> View:
        interaction, name = self.route.interaction(self.request.method), self.kwargs.get("type", "")
        if interaction is None:
            raise self._not_allowed()
        if interaction == NOWHERE or name not in self.route.types:
            raise NotFound
        try:
            return view_of(subject, name, LETTERS[interaction], self.version.types.get(name), self.base)
        except OutOfScope as refusal:
            raise InsufficientScope(self.base, refusal.why) from refusal

    def _not_allowed(self) -> MethodNotAllowed:
        """405 names the methods that are served here; at a type that is not, none."""
        resource_type = self.version.types.get(self.kwargs.get("type", ""))
        done = {*resource_type.interactions, PUBLIC} if resource_type else {PUBLIC}
        methods = [method for method, kind in self.route.interactions.items() if kind in done]
        return MethodNotAllowed(Allow=", ".join([*methods, *(["HEAD"] if "GET" in methods else [])]))

    def _response(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        content_type = f"{self.media_type or self.version.media_types[0]}; charset=utf-8"
        return Response(text, status=status, headers=headers, content_type=content_type)
