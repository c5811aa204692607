"""One log line a request on the people's side, with an id that the answer carries too."""

import logging
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

log = logging.getLogger("smartauth.request")
LINE = "%s %s %s %d %d us"


class RequestLine:
    """Middleware: method, path without query, status, duration. Never a query string, a name or an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id, started = secrets.token_hex(8), time.perf_counter_ns()
        request.META["smartauth.request_id"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        took = (time.perf_counter_ns() - started) // 1000
        log.info(LINE, request_id, request.method, shown(request.path), response.status_code, took)
        return response


def shown(path: str) -> str:
    """The path as a log may hold it: FHIR ids and handles of requests are left out."""
    return "/".join(path.split("/")[:4])[:120].encode("ascii", "replace").decode()
