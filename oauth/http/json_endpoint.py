"""The JSON endpoints for machines: one object in, one answer out, refusals as at the machines' door."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any, ClassVar

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from oauth.http.bounded_body import BodyTooLong
from oauth.http.oauth_errors import database_unavailable, error_response, something_failed
from smart.http import limits, strict_json
from smart.http.errors import AccessDenied, InvalidRequest, OAuthError

log = logging.getLogger("smartauth.json_endpoint")


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
            raise BodyTooLong(len(body))
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
    """POST of a JSON object. Every refusal as RFC 6749 §5.2 writes it; one that names no rule is of this `rule`."""

    rule: ClassVar[str]
    http_method_names = ["post"]
    permission_classes: list[Any] = []
    parser_classes = [JsonObjectParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJson

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, OAuthError):
            exc.why = {"rule": self.rule, **exc.why}
            return error_response(exc)
        if isinstance(exc, BodyTooLong):
            return _invalid_request(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long", "SD-20")
        if isinstance(exc, UnsupportedMediaType):
            return _invalid_request(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json", self.rule)
        if isinstance(exc, MethodNotAllowed):
            return _invalid_request(HTTPStatus.METHOD_NOT_ALLOWED, "only POST is allowed here", self.rule, Allow="POST")
        log.error("%s failed", type(self).__name__, exc_info=exc)
        if isinstance(exc, OperationalError | InterfaceError):
            return error_response(database_unavailable())
        return error_response(something_failed())


def _invalid_request(status: HTTPStatus, description: str, rule: str, **headers: str) -> HttpResponse:
    """What is wrong with the request as HTTP, under the status that HTTP has for it."""
    response = error_response(InvalidRequest(description, rule=rule), **headers)
    response.status_code = status
    return response
