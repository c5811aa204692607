"""What the steps of a waiting request share: only its own browser takes them, and whatever happens has an answer."""

import logging
from collections.abc import Callable
from functools import partial, wraps

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts.models import User
from accounts.password_hasher import TooManyHashes
from accounts.sessions import signed_in_user
from oauth.authorization.pending_request import AlreadyAnswered, Expired, Pending
from oauth.authorization.prompts import is_login_recent
from oauth.authorization.refusals import (
    FAILED_HERE,
    already_answered_response,
    expired_response,
    failure_response,
    refuse,
    stop_step,
)
from oauth.authorization.refused_request import stop
from oauth.authorization.request_cookie import NotInThisBrowser, load_pending
from oauth.http.redirects import redirect_within
from oauth.models import Client
from smart.authorize.error_pages import Unredirectable
from smart.clients.redirect_uris import is_registered
from smart.http.about_token import ABOUT_TOKEN
from smart.http.errors import OAuthError, ServerError, TemporarilyUnavailable

log = logging.getLogger("smartauth.authorize")

View = Callable[[HttpRequest, Pending], HttpResponse]


def step(*methods: str, signed_in: bool = False) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """A view of one step. Its refusals and failures go back to the app, which was proved before (AZ-06, E42)."""
    acts = _run_for_its_user if signed_in else _run_for_anybody

    def decorate(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, handle: str) -> HttpResponse:
            return _take(partial(acts, view), methods, request, handle)

        return wrapped

    return decorate


def _take(view: View, methods: tuple[str, ...], request: HttpRequest, handle: str) -> HttpResponse:
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    try:
        return _run(view, request, load_pending(request, handle))
    except NotInThisBrowser:
        return stop(request, Unredirectable("E40", "no such request waits in this browser"), {})
    except AlreadyAnswered as again:
        return already_answered_response(request, again.pending)
    except Expired as late:
        return expired_response(request, late.pending)


def _token_facts(pending: Pending) -> dict[str, str]:
    row = pending.row
    subject = row.user.subject if row.user else ""
    return {"client_id": row.client.client_id, "aud": row.fhir_server.base, "patient": row.patient, "sub": subject}


def _run(view: View, request: HttpRequest, pending: Pending) -> HttpResponse:
    request.META[ABOUT_TOKEN] = _token_facts(pending)
    if not pending.row.client.enabled:
        return stop_step(request, pending, Unredirectable("E1", "the client was disabled meanwhile"))
    if not _is_still_registered(pending):
        return stop_step(request, pending, Unredirectable("E4", "redirect_uri was taken from the list meanwhile"))
    try:
        return view(request, pending)
    except OAuthError as refusal:
        return refuse(request, pending, refusal)
    except Unredirectable as refusal:
        return stop_step(request, pending, refusal)
    except (NotInThisBrowser, AlreadyAnswered, Expired, TooManyHashes):
        raise  # the last one becomes a page that may be tried again, and the request goes on waiting
    except (OperationalError, InterfaceError):
        return failure_response(request, pending, TemporarilyUnavailable(FAILED_HERE, rule="E42", case="E42"))
    except Exception:  # whatever broke, the person gets back to the app
        log.exception("a step of a waiting request failed")
        return failure_response(request, pending, ServerError(FAILED_HERE, rule="E42", case="E42"))


def _is_still_registered(pending: Pending) -> bool:
    """Whether the answer may still go where the request wanted it: an address can be taken away meanwhile (AZ-05)."""
    client = pending.row.client
    native = client.application_type == Client.ApplicationType.NATIVE
    return is_registered(pending.redirect_uri, client.redirect_uris.split(), native=native)


def _run_for_anybody(view: View, request: HttpRequest, pending: Pending) -> HttpResponse:
    return view(request, pending)


def _run_for_its_user(view: View, request: HttpRequest, pending: Pending) -> HttpResponse:
    """A page leads back to the step that is due; a choice or an answer of somebody else counts for nothing (E40)."""
    user = signed_in_user(request)
    if (
        user is not None
        and pending.is_assigned_to(user)
        and not pending.refused
        and is_login_recent(request, pending, user)
    ):
        return view(request, pending)
    if request.method == "POST":
        raise NotInThisBrowser
    return redirect_within(pending.url)


def require_user(request: HttpRequest) -> User:
    """Who is signed in, on a step that lets nobody else through."""
    user = signed_in_user(request)
    if user is None:
        raise NotInThisBrowser
    return user
