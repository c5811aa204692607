"""What a person reads when something stopped: always the same look, never a stack trace (AZ-06, SB-06)."""

import logging
import secrets
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts import clock
from accounts.password_hasher import TooManyHashes
from oauth.http.oauth_errors import error_members
from oauth.models import public_reference
from smart.authorize.error_pages import Unredirectable
from smart.time_units import to_datetime

log = logging.getLogger("smartauth.refusal")

NOTHING_SHARED = "Nothing was shared."
NOT_YOUR_FAULT = "You did nothing wrong, and nothing was shared."
NO_FAULT_OF_THE_APP = frozenset({"E30", "E40"})
MACHINES = ("/fhir/", "/.well-known/", "/o/")


def error_page(request: HttpRequest, status: int, title: str, lead: str, **parts: object) -> HttpResponse:
    """One error page. Its reference stands in the log beside the id of the request."""
    reference = str(parts.pop("reference", "")) or random_reference()
    log.info("%s request %s: %d", reference, request.META.get("smartauth.request_id", "-"), status)
    context = {"title": title, "lead": lead, "reference": reference, "when": to_datetime(clock.now()), **parts}
    response = render(request, "error.html", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


def random_reference() -> str:
    """Something to read out on the telephone, such as 7F3K-29QD."""
    return public_reference(secrets.randbits(40))


def stopped_page(request: HttpRequest, refusal: Unredirectable, app: str = "", **parts: object) -> HttpResponse:
    """The page of one case of bad input at the authorization endpoint (RFC 6749 §4.1.2.1)."""
    reference = str(parts.pop("reference", "")) or random_reference()
    lead = NOTHING_SHARED if refusal.case in NO_FAULT_OF_THE_APP else NOT_YOUR_FAULT
    advice = (
        "Close this page and open the app again. If this happens again, tell the makers of the app "
        f"and give them the reference {reference}."
    )
    return error_page(
        request, refusal.status, "We stopped this request", lead,
        reference=reference, app=app, happened=refusal.message(app), fix=refusal.fix, advice=advice, **parts,
    )  # fmt: skip


def already_answered_page(request: HttpRequest) -> HttpResponse:
    """A second answer to the same request (E40)."""
    lead = "You have answered this request already. Nothing was done twice."
    return error_page(request, 403, "We stopped this request", lead, advice="Close this page.")


def expired_page(request: HttpRequest, app: str, back: str, minutes: int) -> HttpResponse:
    """The person came back after the request had ended (E40)."""
    lead = f"This page waited too long. For your safety a request ends after {minutes} minutes. {NOTHING_SHARED}"
    return error_page(request, 403, "This page waited too long", lead, app=app, back=back)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return _plain_page(request, 400, "We cannot read this request.", "invalid_request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return _plain_page(request, 403, "This page is not for you.", "access_denied")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page (E40): Django's CSRF_FAILURE_VIEW."""
    return stopped_page(request, Unredirectable("E40"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return _plain_page(request, 404, "There is no such page.", "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what may be tried again, such as a database that does not answer, is a 503."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError | TooManyHashes):
        response = _plain_page(request, 503, "We cannot answer just now.", "temporarily_unavailable")
        response["Retry-After"] = "5"
        return response
    return _plain_page(request, 500, "Something broke here.", "server_error")


def _plain_page(request: HttpRequest, status: int, title: str, code: str) -> HttpResponse:
    if request.path.startswith(MACHINES) and not request.path.startswith("/o/authorize"):
        return JsonResponse(error_members(code), status=status, headers={"Cache-Control": "no-store"})
    advice = "Wait a minute and open the app again." if status >= 500 else ""
    return error_page(request, status, title, NOTHING_SHARED, advice=advice)
