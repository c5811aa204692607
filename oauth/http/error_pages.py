"""What a person reads when something stopped: always the same look, never a stack trace (AZ-06, SB-06)."""

import logging
from dataclasses import replace
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import clock
from audit.event_kinds import EventKind
from oauth.http.explanations import random_reference, with_reference
from oauth.http.refusal_events import record_refusal
from smart.authorize.error_pages import Unredirectable
from smart.explanation import explain_response
from smart.time_units import to_datetime

log = logging.getLogger("smartauth.refusal")

NOTHING_SHARED = "Nothing was shared."
NOT_YOUR_FAULT = "You did nothing wrong, and nothing was shared."
NO_FAULT_OF_THE_APP = frozenset({"E30", "E40"})


def error_page(request: HttpRequest, status: int, title: str, lead: str, **parts: object) -> HttpResponse:
    """The page of a request that stopped."""
    return refusal_page(request, "error.html", status, title, lead, **parts)


def refusal_page(
    request: HttpRequest, template: str, status: int, title: str, lead: str, **parts: object
) -> HttpResponse:
    """A page of that template. Its reference stands in the log beside the id of the request."""
    reference = str(parts.pop("reference", "")) or random_reference()
    log.info("%s request %s: %d", reference, request.META.get("smartauth.request_id", "-"), status)
    shown = {"title": title, "lead": lead, "reference": reference, "when": to_datetime(clock.now()), "status": status}
    response = render(request, template, {**shown, **parts}, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


def stopped_page(request: HttpRequest, refusal: Unredirectable, app: str = "", **parts: object) -> HttpResponse:
    """The page of one case of bad input at the authorization endpoint (RFC 6749 §4.1.2.1)."""
    reference = str(parts.pop("reference", "")) or random_reference()
    lead = NOTHING_SHARED if refusal.case in NO_FAULT_OF_THE_APP else NOT_YOUR_FAULT
    advice = (
        "Close this page and open the app again. If this happens again, tell the makers of the app "
        f"and give them the reference {reference}."
    )
    response = error_page(
        request,
        refusal.status,
        "We stopped this request",
        lead,
        reference=reference,
        app=app,
        happened=refusal.message(app),
        fix=refusal.fix,
        advice=advice,
        **parts,
    )
    explain_response(response, with_reference(replace(refusal.explanation, reference=reference)))
    return response


def already_answered_page(request: HttpRequest, reference: str) -> HttpResponse:
    """A second answer to the same request (E40)."""
    lead = "You have answered this request already. Nothing was done twice."
    return error_page(request, 403, "We stopped this request", lead, advice="Close this page.", reference=reference)


def expired_page(request: HttpRequest, app: str, back: str, minutes: int, reference: str) -> HttpResponse:
    """The person came back after the request had ended (E40)."""
    lead = f"This page waited too long. For your safety a request ends after {minutes} minutes. {NOTHING_SHARED}"
    return error_page(request, 403, "This page waited too long", lead, app=app, back=back, reference=reference)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page (E40): Django's CSRF_FAILURE_VIEW. The reason is for developers."""
    what = reason.partition(" - ")[0]  # without the rest, which may be an address with its query
    stale, reference = Unredirectable("E40", what), random_reference()
    record_refusal(request, EventKind.FORM_REFUSED, stale.explanation, counted_as="form", reference=reference)
    response = error_page(
        request,
        403,
        "We stopped this request",
        NOTHING_SHARED,
        happened=stale.message(),
        reference=reference,
        advice="Load the page again, then repeat what you did.",
        again=_page_before(request),
        reason=reason,
    )
    explain_response(response, replace(stale.explanation, reference=reference))
    return response


def _page_before(request: HttpRequest) -> str:
    """The page of ours whose form was sent, "" if the browser does not tell."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return ""
    before = urlsplit(referer)
    if not before.path.startswith("/") or before.path.startswith("//"):
        return ""
    return f"{before.path}?{before.query}" if before.query else before.path
