"""What the steps of a waiting request share: only its own browser takes them, and whatever happens has an answer."""

import logging
from collections.abc import Callable
from functools import partial, wraps

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from audit.trail import Event, record
from oauth.authorization.pending_request import Answered, NotYours, Pending, TooOld, waiting
from oauth.authorization.prompts import recent
from oauth.http import error_pages
from oauth.http.redirects import to_app, within
from oauth.models import Client, numbered
from smart.authorize.error_pages import Unredirectable
from smart.clients.redirect_uris import error_redirect, is_registered
from smart.http.errors import AccessDenied, OAuthError, ServerError, TemporarilyUnavailable

log = logging.getLogger("smartauth.authorize")

NOT_ALLOWED = "the user did not allow access"
FAILED_HERE = "something failed here, try again later"

View = Callable[[HttpRequest, Pending], HttpResponse]


def step(*methods: str, signed_in: bool = False) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """A view of one step. Its refusals and failures go back to the app, which was proved before (AZ-06, E42)."""
    acts = _by_its_person if signed_in else _by_anybody

    def decorate(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, handle: str) -> HttpResponse:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            try:
                return _answered_to_app(partial(acts, view), request, waiting(request, handle))
            except NotYours:
                return error_pages.stopped(request, Unredirectable("E40"))
            except Answered:
                return error_pages.answered_already(request)
            except TooOld as late:
                return _too_late(request, late.pending)

        return wrapped

    return decorate


def _answered_to_app(view: View, request: HttpRequest, pending: Pending) -> HttpResponse:
    if not pending.row.client.enabled:
        return error_pages.stopped(request, Unredirectable("E1"))
    if not _still_registered(pending):
        return error_pages.stopped(request, Unredirectable("E4"), str(pending.row.client))
    try:
        return view(request, pending)
    except OAuthError as refusal:
        return refuse(request, pending, refusal)
    except Unredirectable as refusal:
        return error_pages.stopped(request, refusal, str(pending.row.client))
    except (NotYours, Answered, TooOld):
        raise
    except (OperationalError, InterfaceError):
        return _broken(request, pending, TemporarilyUnavailable(FAILED_HERE))
    except Exception:  # whatever broke, the person gets back to the app
        log.exception("a step of a waiting request failed")
        return _broken(request, pending, ServerError(FAILED_HERE))


def _still_registered(pending: Pending) -> bool:
    """Whether the answer may still go where the request wanted it: an address can be taken away meanwhile (AZ-05)."""
    client = pending.row.client
    native = client.application_type == Client.ApplicationType.NATIVE
    return is_registered(pending.redirect_uri, client.redirect_uris.split(), native=native)


def _broken(request: HttpRequest, pending: Pending, refusal: OAuthError) -> HttpResponse:
    """A client that nobody approved gets no redirect before a login (AZ-13)."""
    trusted = pending.row.client.approved or person(request) is not None
    return to_app(_back(pending, refusal)) if trusted else error_pages.broken(request)


def _by_anybody(view: View, request: HttpRequest, pending: Pending) -> HttpResponse:
    return view(request, pending)


def _by_its_person(view: View, request: HttpRequest, pending: Pending) -> HttpResponse:
    """A page leads back to the step that is due; a choice or an answer of somebody else counts for nothing (E40)."""
    user = person(request)
    if user is not None and pending.belongs_to(user) and not pending.refused and recent(request, pending, user):
        return view(request, pending)
    if request.method == "POST":
        raise NotYours
    return within(pending.url)


def refuse(request: HttpRequest, pending: Pending, refusal: OAuthError) -> HttpResponse:
    """Ends the request with this refusal and tells the app."""
    now = clock.now()
    with transaction.atomic():
        pending.answer(now=now)
        record(event(request, pending, "denied", at=now, reason=refusal.code))
    return to_app(_back(pending, refusal))


def refused_earlier(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Tells a client that nobody approved, now that the person is known, what was wrong with its request (AZ-13)."""
    now = clock.now()
    with transaction.atomic():
        pending.answer(now=now)
        record(event(request, pending, "denied", at=now, reason="refused before"))
    return to_app(pending.refused)


def event(request: HttpRequest, pending: Pending, kind: str, *, at: int, **more: str) -> Event:
    """What happened to a waiting request, with the references that belong to it."""
    row = pending.row
    return Event(
        kind=kind, at=at, client=row.client.client_id, fhir_server=row.fhir_server.base,
        person=row.user.subject if row.user else "", address=client_address(request),
        **{"reference": numbered(row.pk), **more},
    )  # fmt: skip


def person(request: HttpRequest) -> User | None:
    """Who is signed in, if somebody is."""
    return request.user if isinstance(request.user, User) else None


def somebody(request: HttpRequest) -> User:
    """Who is signed in, on a step that lets nobody else through."""
    user = person(request)
    if user is None:
        raise NotYours
    return user


def cancelled() -> AccessDenied:
    return AccessDenied(NOT_ALLOWED)


def _too_late(request: HttpRequest, pending: Pending) -> HttpResponse:
    back = _back(pending, AccessDenied(NOT_ALLOWED))
    minutes = settings.SMARTAUTH_PENDING_REQUEST_SECONDS // 60
    return error_pages.waited_too_long(request, str(pending.row.client), back, minutes)


def _back(pending: Pending, refusal: OAuthError) -> str:
    return error_redirect(pending.redirect_uri, refusal, pending.state, settings.SMARTAUTH_ISSUER)
