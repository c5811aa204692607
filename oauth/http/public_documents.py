"""Documents that anybody may read: discovery, keys, styles."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt

from oauth.http.explanations import error_uri, with_reference
from oauth.http.oauth_errors import error_members
from smart.explanation import Explanation, explain_response
from smart.http.errors import InvalidTarget, OAuthError

METHODS = ("GET", "HEAD")
CACHE = "public, max-age=60"

View = Callable[..., HttpResponse]
Builder = Callable[..., Mapping[str, Any]]


def public_document(build: Builder) -> View:
    """A view of a public document: JSON whatever Accept says (DS-02), cacheable, GET and HEAD only (DS-23, E130)."""

    @csrf_exempt  # a POST is answered 405, not 403
    @wraps(build)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in METHODS:
            response = HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(METHODS)})
            words, allowed = "only GET and HEAD are allowed here", ", ".join(METHODS)
            explain_response(response, Explanation("DS-23", words, request.method or "", allowed, case="E130"))
            return response
        try:
            return _cacheable_response(request, build(request, *args, **kwargs))
        except OAuthError as error:
            return _error_response(error)

    return view


def _cacheable_response(request: HttpRequest, content: Mapping[str, Any]) -> HttpResponse:
    body = json.dumps(content, indent=2).encode()
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"Cache-Control": CACHE, "ETag": etag}
    response = HttpResponse(body, content_type="application/json", headers=headers)
    conditional = get_conditional_response(request, etag=etag, response=response)
    return conditional if isinstance(conditional, HttpResponse) else response


def _error_response(error: OAuthError) -> HttpResponse:
    """400 for a bad question, 404 for a base that is not here; not cached, since it may be added any minute."""
    status = HTTPStatus.NOT_FOUND if isinstance(error, InvalidTarget) else error.status
    explanation = with_reference(error.explanation)
    body = error_members(error.code, error.description, error_uri(explanation))
    response = JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
    explain_response(response, explanation)
    return response
