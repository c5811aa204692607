"""Where nothing goes on: each says who is signed in and leads on; machines keep their JSON (SB-06)."""

import sys
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseFailure
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.models import User
from accounts.password_hasher import TooManyHashes
from accounts.sessions import signed_in_user
from oauth.http.error_pages import NOTHING_SHARED, refusal_page
from oauth.http.oauth_errors import error_members
from oauth.http.similar_addresses import similar_addresses
from smart.text import replace_unsafe_characters

FHIR = "/fhir/"
MACHINES = (FHIR, "/.well-known/", "/o/", "/healthz", "/readyz")
PEOPLE_BELOW_O = ("/o/authorize", "/o/logout")
DEVELOPMENT = "/dev/"  # pages and JSON side by side, also at one address: Accept tells who reads
LONGEST_SHOWN = 120
NOTHING_CHANGED = "Nothing was shared or changed."
NO_SUCH_PAGE = f"The address may be mistyped, or the page has moved. {NOTHING_SHARED}"


class NotForYou(PermissionDenied):
    """A page for others than the person who is signed in: what it is for, and where a sign-in leads back to it."""

    def __init__(self, title: str, purpose: str, to: str) -> None:
        super().__init__(title)
        self.title, self.purpose, self.to = title, purpose, to


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return _refusal(request, 400, "We cannot read this request", NOTHING_CHANGED, "invalid_request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if not isinstance(exception, NotForYou):
        lead = f"Your account may not use it. {NOTHING_CHANGED}"
        return _refusal(request, 403, "This page is not for you", lead, "access_denied", purpose=True)
    lead = f"{exception.purpose} {NOTHING_CHANGED}"
    return _refusal(request, 403, exception.title, lead, "access_denied", purpose=True, to=exception.to)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: the same for what never existed and for what exists in development only."""
    similar = similar_addresses(request.path) if settings.SMARTAUTH_DEV else []
    return _refusal(request, 404, "There is no such page", NO_SUCH_PAGE, "not_found", similar=similar)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what may be tried again, such as a database that does not answer, is a 503."""
    account, again = _account(request), request.get_full_path() if request.method == "GET" else ""
    advice = f"{NOTHING_SHARED} Wait a minute and try again."
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError | TooManyHashes):
        title, code = "We cannot answer just now", "temporarily_unavailable"
        response = _refusal(request, 503, title, advice, code, account=account, again=again)
        response["Retry-After"] = "5"
        return response
    return _refusal(request, 500, "Something broke here", advice, "server_error", account=account, again=again)


class MethodNotAllowedPage:
    """Middleware: the empty 405 of a view that people open is a page that leads on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or response.content or _is_for_machines(request):
            return response
        lead = f"It only takes what a button on another page sends. {NOTHING_CHANGED}"
        page = _dead_end(request, 405, "This page cannot be opened like that", lead)
        page["Allow"] = response["Allow"]
        return page


def _refusal(request: HttpRequest, status: int, title: str, lead: str, code: str, **parts: object) -> HttpResponse:
    if _is_for_machines(request):
        return JsonResponse(error_members(code), status=status, headers={"Cache-Control": "no-store"})
    return _dead_end(request, status, title, lead, **parts)


def _is_for_machines(request: HttpRequest) -> bool:
    """Below the machines' paths a browser gets a page only where no endpoint is; below /dev/ whenever it reads one."""
    reads_pages = "text/html" in request.headers.get("Accept", "")
    if request.path.startswith(DEVELOPMENT):
        return not reads_pages
    if not request.path.startswith(MACHINES) or request.path.startswith(PEOPLE_BELOW_O):
        return False
    mistyped = request.resolver_match is None and not request.path.startswith(FHIR)
    return not (mistyped and reads_pages)


def _dead_end(request: HttpRequest, status: int, title: str, lead: str, **parts: object) -> HttpResponse:
    phrase = HTTPStatus(status).phrase.lower()
    shown = _shown_path(request)
    return refusal_page(request, "dead_end.html", status, title, lead, phrase=phrase, asked_for=shown, **parts)


def _shown_path(request: HttpRequest) -> str:
    """What was asked for as text, without its query."""
    path = replace_unsafe_characters(request.path, "?")
    return path if len(path) <= LONGEST_SHOWN else f"{path[: LONGEST_SHOWN - 1]}…"


def _account(request: HttpRequest) -> User | None:
    """Who is signed in, if that can still be found out."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return None
    try:
        return signed_in_user(request)
    except DatabaseFailure:
        return None
