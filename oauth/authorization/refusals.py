"""How a waiting request ends without a code: what the app is told, and what the user sees (AZ-06, E42)."""

from dataclasses import replace
from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.sessions import signed_in_user
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.authorization.events import interaction_event, record_refused_step
from oauth.authorization.pending_request import Pending
from oauth.authorization.prompts import is_silent
from oauth.http import dead_ends, error_pages
from oauth.http.explanations import error_uri, with_reference
from oauth.http.redirects import redirect_to_app
from oauth.models import public_reference
from smart.authorize.error_pages import Unredirectable
from smart.clients.redirect_uris import error_redirect
from smart.explanation import Explanation, explain_response
from smart.http.errors import AccessDenied, OAuthError

NOT_ALLOWED = "the user did not allow access"
TAMPERED, STALE = "E30", "E40"
FAILED_HERE = "something failed here, try again later"


def denied_by_user() -> AccessDenied:
    return AccessDenied(NOT_ALLOWED, rule="AZ-14", case="E31")


def denied_to_another_user() -> AccessDenied:
    """The same to the app, whose launch was for somebody else than the user who says no (E27)."""
    what = "another user is signed in than the launch was made for, and did not switch"
    return AccessDenied(NOT_ALLOWED, rule="AZ-10", case="E27", what=what)


def refuse(request: HttpRequest, pending: Pending, refusal: OAuthError) -> HttpResponse:
    """Ends the request with this refusal and tells the app."""
    now, signed_in = clock.now(), signed_in_user(request) is not None
    with transaction.atomic():
        pending.answer(now=now, signed_in=signed_in)
        if pending.row.user is not None:  # what nobody signed in to is nobody's refusal, and strangers make any number
            record_events(interaction_event(request, pending, EventKind.DENIED, at=now, reason=refusal.code))
    if pending.row.user is None and not isinstance(refusal, AccessDenied):  # a cancel is no rule's refusal
        record_refused_step(request, pending, refusal.explanation)
    response = redirect_to_app(_refusal_url(pending, refusal), after_form=not is_silent(pending))
    explain_response(response, _explanation(pending, refusal))
    return response


def send_stored_refusal(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Tells a client that nobody approved, now that the person is known, what was wrong with its request (AZ-13)."""
    now = clock.now()
    with transaction.atomic():
        pending.answer(now=now)
        record_events(interaction_event(request, pending, EventKind.DENIED, at=now, reason="refused before"))
    return redirect_to_app(pending.refused)


def refuse_tampered_choice(request: HttpRequest, pending: Pending, reason: str) -> NoReturn:
    """A choice that the page did not offer is recorded, and the request stops (E30)."""
    refusal = Unredirectable(TAMPERED, reason)
    about = {"reason": reason, "rule": refusal.rule, "case": refusal.case}
    record_events(interaction_event(request, pending, EventKind.CHOICE_TAMPERED, at=clock.now(), **about))
    raise refusal


def stop_step(request: HttpRequest, pending: Pending, refusal: Unredirectable) -> HttpResponse:
    """The page of a request that waited and goes nowhere; its reference is the number of the request."""
    if refusal.case != TAMPERED:  # which has an event of its own
        record_refused_step(request, pending, refusal.explanation)
    client = pending.row.client
    app, number = str(client) if client.enabled else "", public_reference(pending.row.pk)
    return error_pages.stopped_page(request, refusal, app, reference=number)


def failure_response(request: HttpRequest, pending: Pending, refusal: OAuthError) -> HttpResponse:
    """A client that nobody approved gets no redirect before a login (AZ-13)."""
    trusted = pending.row.client.approved or signed_in_user(request) is not None
    return redirect_to_app(_refusal_url(pending, refusal)) if trusted else dead_ends.server_error(request)


def already_answered_response(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The page for an answer after the first one (E40)."""
    explanation = _explanation(pending, Unredirectable(STALE, "the request was answered before"))
    record_refused_step(request, pending, explanation)
    response = error_pages.already_answered_page(request, explanation.reference)
    explain_response(response, explanation)
    return response


def expired_response(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The page for a person who came too late; it leads back to the app (E40)."""
    explanation = _explanation(pending, Unredirectable(STALE, "the request waited too long"))
    record_refused_step(request, pending, explanation)
    back = _refusal_url(pending, denied_by_user())
    minutes = settings.SMARTAUTH_PENDING_REQUEST_SECONDS // 60
    response = error_pages.expired_page(request, str(pending.row.client), back, minutes, explanation.reference)
    explain_response(response, explanation)
    return response


def _explanation(pending: Pending, refusal: OAuthError | Unredirectable) -> Explanation:
    """Its reference is the number of the request, which stands on the pages and in the events."""
    return replace(refusal.explanation, reference=public_reference(pending.row.pk))


def _refusal_url(pending: Pending, refusal: OAuthError) -> str:
    issuer, where = settings.SMARTAUTH_ISSUER, error_uri(with_reference(_explanation(pending, refusal)))
    return error_redirect(pending.redirect_uri, refusal, pending.state, issuer, where)
