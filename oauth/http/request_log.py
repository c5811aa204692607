"""One log line a request on the people's side, with an id that the answer carries too."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from oauth.http.explanations import with_reference
from oauth.http.machine_response import random_request_id
from oauth.http.watchers import page_watchers, tell_page_watchers
from smart.explanation import HEADER, explain_response, explanation_of

log = logging.getLogger("smartauth.request")
LINE = "%s %s %s %d %d us"


class RequestLogMiddleware:
    """Middleware: method, route, status, duration. Never a query string, a name or an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id, started = random_request_id(), time.perf_counter_ns()
        request.META["smartauth.request_id"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        if settings.SMARTAUTH_DEV:
            _add_reason(response)
        took = (time.perf_counter_ns() - started) // 1000
        if page_watchers:
            tell_page_watchers(request, response, took)
        log.info(LINE, request_id, request.method, logged_route(request), response.status_code, took)
        return response


def _add_reason(response: HttpResponse) -> None:
    """Tells a developer why it refuses; the bundled FHIR server, a stranger, has done so itself."""
    explanation = explanation_of(response)
    if explanation is not None and explanation.rule and HEADER not in response:
        explanation = with_reference(explanation)
        explain_response(response, explanation)
        response[HEADER] = explanation.line


def logged_route(request: HttpRequest) -> str:
    """The route that was taken, without FHIR ids and handles of requests. Of an unknown path its beginning."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    beginning = request.path.lstrip("/").partition("/")[0][:40]
    return "/" + "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in beginning)
