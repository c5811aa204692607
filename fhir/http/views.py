"""One view for every path below a base, in one order: token, decision, then data (checklist, order of checks)."""

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
from fhir.http.routes import segments
from fhir.http.search_parameters import form_parameters, url_parameters
from fhir.operation_outcome import (
    Failure,
    FhirError,
    InvalidToken,
    MethodNotAllowed,
    NotFound,
    RequestDenied,
    TypeNotServed,
    Unavailable,
)
from fhir.search.query import Pairs
from fhir.token import bearer, introspection_client
from fhir.token.refusal_reports import reports
from fhir.versions.version import ResourceType, Version
from smart.decisions.decide import DenialReason, decide
from smart.decisions.interactions import CAPABILITIES, RequestPath, parse_path
from smart.decisions.question import question_at
from smart.decisions.subject import InvalidClaims, Subject, read_subject
from smart.decisions.view import Reach, View
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
    """A base at work: what is done at each path, and whether this caller may, is decided in smart.decisions."""

    version: Version = None  # type: ignore[assignment]  # as_view demands it
    path: tuple[str, ...] = ()
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    token = ""
    media_type = ""
    request_path = RequestPath({})
    parameters: Pairs = []
    reach: Reach
    records: View = ()
    parser_classes = ()
    renderer_classes = (FhirRenderer,)
    default_response_headers = {"Cache-Control": "no-store"}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Raises ImproperlyConfigured without a version."""
        if not isinstance(initkwargs.get("version"), Version):
            raise ImproperlyConfigured("A FHIR view is mounted with a version.")
        return super().as_view(**initkwargs)

    @property
    def base(self) -> str:
        """This version's base as configured, never what the request's Host says."""
        return str(settings.SMARTAUTH_FHIR_BASES[self.version.key]).rstrip("/")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is looked up before it is known who asks and how far their scopes reach (HI-05)."""
        self.request_path = parse_path(segments(self.path, kwargs))
        if not self.request_path.is_public:
            self.reach = Reach(self._subject(request), self.version.key, self.base)
            self.parameters = url_parameters(request)
            self._require_allowed()
        elif not self._interaction:
            raise self._not_allowed()

    def answer(self, request: Request, **kwargs: str) -> Response:
        """What the interaction gives, if this server does it for the type."""
        form = dict(url_parameters(request)).get("_format", "")
        self.media_type = media.answer_type(request.META.get("HTTP_ACCEPT", ""), form, self.version)
        if self.request_path.is_public:
            return self._response(interactions.capabilities(self.version, self.base))
        resource_type = self._require_served()
        if request.method == "POST":
            self.parameters = [*self.parameters, *form_parameters(request, self.version)]
            self._require_allowed()
        asked = interactions.Interaction(
            request, self.version, self.base, resource_type, self.request_path.id, self.parameters, self.records
        )
        return self._response(interactions.HANDLERS[self._interaction](asked))

    get = post = put = patch = delete = answer

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal as an OperationOutcome; a failure without a word about itself."""
        if isinstance(exc, OperationalError | InterfaceError):
            exc = Unavailable("The records cannot be reached just now.")
        if not isinstance(exc, FhirError):
            # frames only: the message of an exception may hold what was sent or stored
            logger.error("%s\n%s", type(exc).__name__, "".join(traceback.format_tb(exc.__traceback__)))
            exc = Failure()
        if (isinstance(exc, RequestDenied) and exc.is_out_of_scope) or (self.records and isinstance(exc, NotFound)):
            reports.add(self.token, exc.status_code)
        response = self._response(exc.outcome(), exc.status_code, exc.headers)
        explain_response(response, exc.explanation)
        if settings.SMARTAUTH_DEV:
            response[HEADER] = exc.explanation.line
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise self._not_allowed()

    options = http_method_not_allowed

    @property
    def _interaction(self) -> str:
        return self.request_path.interaction(self.request.method or "")

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

    def _require_allowed(self) -> None:
        """Raises what the decision says. What is done here for nobody goes before what is refused of parameters."""
        if self.request_path.interactions and not self._interaction:
            raise self._not_allowed()  # HTTP's word for a method that a path does not have (RFC 9110 §15.5.6)
        conditional = "HTTP_IF_NONE_EXIST" in self.request.META
        question = question_at(
            self.request_path, self.request.method or "", self.parameters, is_conditional=conditional
        )
        decision = decide(self.reach, question, applies_views=True)
        if decision.denial is not None:
            if decision.denial.reason is DenialReason.PARAMETER_REFUSED:
                self._require_served()
            raise RequestDenied(decision.denial, self.base)
        self.records = decision.views[question.type]

    def _require_served(self) -> ResourceType:
        """The type, where this server does the interaction on it. Raises TypeNotServed or MethodNotAllowed."""
        resource_type = self.version.types.get(self.request_path.type)
        if resource_type is None:
            raise TypeNotServed
        if self._interaction not in resource_type.interactions or self._interaction not in interactions.HANDLERS:
            raise self._not_allowed()
        return resource_type

    def _not_allowed(self) -> MethodNotAllowed:
        """405 names the methods that are served here; at a type that is not, none."""
        resource_type = self.version.types.get(self.request_path.type)
        done = {*resource_type.interactions, CAPABILITIES} if resource_type else {CAPABILITIES}
        methods = [method for method, kind in self.request_path.interactions.items() if kind in done]
        return MethodNotAllowed(headers={"Allow": ", ".join([*methods, *(["HEAD"] if "GET" in methods else [])])})

    def _response(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        content_type = f"{self.media_type or self.version.media_types[0]}; charset=utf-8"
        return Response(text, status=status, headers=headers, content_type=content_type)
