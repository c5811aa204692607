"""How a waiting request ends without a code: what the app is told, and what the user sees (AZ-06, E42)."""

from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.sessions import signed_in_user
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.authorization.events import interaction_event
from oauth.authorization.pending_request import Pending
from oauth.authorization.prompts import is_silent
from oauth.http import dead_ends, error_pages
from oauth.http.redirects import redirect_to_app
from smart.authorize.error_pages import Unredirectable
from smart.clients.redirect_uris import error_redirect
from smart.http.errors import AccessDenied, OAuthError

NOT_ALLOWED = "the user did not allow access"
FAILED_HERE = "something failed here, try again later"


def denied_by_user() -> AccessDenied:
    return AccessDenied(NOT_ALLOWED)


def refuse(request: HttpRequest, pending: Pending, refusal: OAuthError) -> HttpResponse:
    """Ends the request with this refusal and tells the app."""
    now, signed_in = clock.now(), signed_in_user(request) is not None
    with transaction.atomic():
        pending.answer(now=now, signed_in=signed_in)
        if pending.row.user is not None:  # what nobody signed in to is nobody's refusal, and strangers make any number
            record_events(interaction_event(request, pending, EventKind.DENIED, at=now, reason=refusal.code))
    return redirect_to_app(_refusal_url(pending, refusal), after_form=not is_silent(pending))


def send_stored_refusal(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Tells a client that nobody approved, now that the person is known, what was wrong with its request (AZ-13)."""
    now = clock.now()
    with transaction.atomic():
        pending.answer(now=now)
        record_events(interaction_event(request, pending, EventKind.DENIED, at=now, reason="refused before"))
    return redirect_to_app(pending.refused)


def refuse_tampered_choice(request: HttpRequest, pending: Pending, reason: str) -> NoReturn:
    """A choice that the page did not offer is recorded, and the request stops (E30)."""
    record_events(interaction_event(request, pending, EventKind.CHOICE_TAMPERED, at=clock.now(), reason=reason))
    raise Unredirectable("E30", reason)


def failure_response(request: HttpRequest, pending: Pending, refusal: OAuthError) -> HttpResponse:
    """A client that nobody approved gets no redirect before a login (AZ-13)."""
    trusted = pending.row.client.approved or signed_in_user(request) is not None
    return redirect_to_app(_refusal_url(pending, refusal)) if trusted else dead_ends.server_error(request)


def expired_response(request: HttpRequest, pending: Pending) -> HttpResponse:
    back = _refusal_url(pending, AccessDenied(NOT_ALLOWED))
    minutes = settings.SMARTAUTH_PENDING_REQUEST_SECONDS // 60
    return error_pages.expired_page(request, str(pending.row.client), back, minutes)


def _refusal_url(pending: Pending, refusal: OAuthError) -> str:
    return error_redirect(pending.redirect_uri, refusal, pending.state, settings.SMARTAUTH_ISSUER)
