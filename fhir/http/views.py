"""One view for every path below a base, in one order: token, decision, then data (checklist, order of checks)."""

import logging
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

from fhir import clock
from fhir.audit.strangers import strangers
from fhir.http import enforcement, media
from fhir.http.accesses import record_refusal
from fhir.http.answer import Answer
from fhir.http.batch import perform_bundle
from fhir.http.body import json_body, raw_body
from fhir.http.interaction import Asked, Caller
from fhir.http.routes import segments
from fhir.http.search_parameters import form_parameters, url_parameters
from fhir.http.statement import capabilities
from fhir.operation_outcome import Failure, FhirError, InvalidToken, NotFound, RequestDenied, Unavailable
from fhir.search.everything import posted_parameters
from fhir.search.query import Pairs
from fhir.token import bearer, introspection_client
from fhir.token.refusal_reports import reports
from fhir.token.roles import within_role
from fhir.versions.version import Version
from smart.decisions.interactions import BATCH, EVERYTHING, RequestPath, parse_path
from smart.decisions.subject import InvalidClaims, read_subject
from smart.decisions.view import Reach
from smart.explanation import HEADER, explain_response
from smart.http.about_token import ABOUT_TOKEN
from smart.http.cors import CLIENT_ID
from smart.time_units import SECOND

logger = logging.getLogger(__name__)
_WITH_A_BODY = ("create", "update", "patch")


class FhirRenderer(BaseRenderer):
    """Text as it is: a resource leaves as it was stored."""

    media_type = "application/fhir+json"
    format = "json"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return str(data).encode()


class FhirView(APIView):
    """A base at work: who asks is found here, whether they may in fhir.http.enforcement."""

    version: Version = None  # type: ignore[assignment]  # as_view demands it
    path: tuple[str, ...] = ()
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    token = ""
    media_type = ""
    request_path = RequestPath({})
    parameters: Pairs = []
    caller: Caller | None = None
    is_allowed = False
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
            caller = self.caller = self._caller(request)
            self.parameters = url_parameters(request)
            if self._asked(request).interaction != BATCH:
                enforcement.require_allowed(caller, self._asked(request))
            self.is_allowed = True
        elif not self.request_path.interaction(request.method or ""):
            raise enforcement.not_allowed(self.version, self.request_path)

    def answer(self, request: Request, **kwargs: str) -> Response:
        """What the interaction gives, if this server does it for the type."""
        form = dict(url_parameters(request)).get("_format", "")
        self.media_type = media.answer_type(request.META.get("HTTP_ACCEPT", ""), form, self.version)
        if self.caller is None:
            return self._response(Answer(capabilities(self.version, self.base)))
        asked = self._asked(request)
        if asked.interaction == BATCH:
            text = json_body(request, self.version, BATCH)
            return self._response(perform_bundle(self.caller, text, self._report))
        enforcement.require_served(self.version, asked)
        asked = self._asked(request, *self._body(request, asked.interaction))
        return self._response(enforcement.perform(self.caller, asked))

    get = post = put = patch = delete = answer

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal as an OperationOutcome; a failure without a word about itself."""
        if isinstance(exc, OperationalError | InterfaceError):
            exc = Unavailable("The records cannot be reached just now.")
        if not isinstance(exc, FhirError):
            # frames only: the message of an exception may hold what was sent or stored
            logger.error("%s\n%s", type(exc).__name__, "".join(traceback.format_tb(exc.__traceback__)))
            exc = Failure()
        try:
            self._report(exc, Asked(self.request.method or "", self.request_path))
        except (OperationalError, InterfaceError) as error:
            logger.error("a refusal could not be recorded: %s", type(error).__name__)
            exc = Unavailable("The records cannot be reached just now.")
        response = self._response(Answer(exc.outcome(), exc.status_code, exc.headers))
        explain_response(response, exc.explanation)
        if settings.SMARTAUTH_DEV:
            response[HEADER] = exc.explanation.line
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise enforcement.not_allowed(self.version, self.request_path)

    options = http_method_not_allowed

    def _report(self, error: FhirError, asked: Asked) -> None:
        """An event of its own (SD-10); and what a token was refused, for the authorization server (SD-05, HI-08)."""
        if self.caller is not None:
            record_refusal(self.caller, asked, error.status_code)
        elif not self.request_path.is_public:
            address = introspection_client.caller_address(self.request.META)
            strangers.add(self.version.key, self.base, address, error.status_code)
        is_out_of_scope = isinstance(error, RequestDenied) and error.is_out_of_scope
        if is_out_of_scope or (self.is_allowed and isinstance(error, NotFound)):
            reports.add(self.token, error.status_code)

    def _asked(self, request: Request, form: Pairs | None = None, body: str = "") -> Asked:
        parameters = [*self.parameters, *(form or [])]
        return Asked(request.method or "", self.request_path, parameters, request.headers, body)

    def _body(self, request: Request, interaction: str) -> tuple[Pairs, str]:
        """The form of a search by POST, or the text of what is to be stored."""
        if interaction in _WITH_A_BODY:
            return [], json_body(request, self.version, interaction)
        if interaction == EVERYTHING and request.method == "POST" and raw_body(request):
            return posted_parameters(json_body(request, self.version, interaction)), ""
        return (form_parameters(request, self.version) if request.method == "POST" else []), ""

    def _caller(self, request: Request) -> Caller:
        request.META[ABOUT_TOKEN] = {"aud": self.base}
        self.token = bearer.bearer_token(request.META, self.base)
        address = introspection_client.caller_address(request.META)
        claims = introspection_client.introspect(self.token, address)
        request.META[ABOUT_TOKEN] = {**(claims or {}), "aud": self.base}
        request.META[CLIENT_ID] = str((claims or {}).get("client_id", ""))
        try:
            subject = read_subject(claims, self.base, clock.now() / SECOND)
        except InvalidClaims as refusal:
            raise InvalidToken(self.base, refusal.why) from refusal
        reach = Reach(within_role(subject, self.version.writers), self.version.key, self.base)
        by_scopes = Reach(subject, self.version.key, self.base)
        return Caller(self.version, self.base, reach, by_scopes, claims or {}, address)

    def _response(self, answer: Answer) -> Response:
        content_type = f"{self.media_type or self.version.media_types[0]}; charset=utf-8"
        return Response(answer.text, answer.status, headers=dict(answer.headers), content_type=content_type)
