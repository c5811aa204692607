"""Signing in and out: alone at /login, or as the first step of a waiting request (AZ-21, SB-01)."""

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts import clock, rate_limit, sessions
from accounts.address import client_address
from accounts.login import Attempt, apply_rate_limit, attempt
from accounts.models import User
from accounts.sessions import signed_in_user
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.authorization.interaction import step
from oauth.authorization.pending_request import Pending
from oauth.authorization.prompts import must_confirm_password
from oauth.authorization.refusals import denied_by_user
from oauth.authorization.request_summary import RequestSummary
from oauth.ending import online_access
from oauth.ending.sessions import end_online_access_of
from oauth.http.explanations import random_reference
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from smart.time_units import SECOND, to_datetime
from smart.tokens.address_binding import END, strictest_policy

# a name, never an address: there is nothing to redirect to elsewhere
DESTINATIONS = {
    "": "/",
    "admin": "/admin/",
    "apps": "/apps",
    "launcher": "/launcher",
    "password": "/password",
    "sessions": "/sessions",
}
STATUS = {"wrong": 422, "rate-limited": 429, "suspended": 403, "busy": 503}
KINDS = {
    "right": EventKind.LOGIN_SUCCEEDED,
    "wrong": EventKind.LOGIN_FAILED,
    "suspended": EventKind.LOGIN_FAILED,
    "rate-limited": EventKind.RATE_LIMITED,
}


def login(request: HttpRequest) -> HttpResponse:
    """The sign-in page without a waiting request."""
    if request.method == "GET":
        return _page(request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "POST"])
    return _try_login(request) or redirect_within(DESTINATIONS.get(request.GET.get("to", ""), "/"))


def operators_login(request: HttpRequest) -> HttpResponse:
    """The admin has no door of its own: its failures would not be counted."""
    return redirect_within("/login?to=admin")


def logout(request: HttpRequest) -> HttpResponse:
    """Ends the session in this browser; `to` is where somebody else wants to sign in."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    sign_out(request)
    to = request.GET.get("to", "")
    return redirect_within(f"/login?to={to}" if to and to in DESTINATIONS else "/login")


@step("GET", "POST")
def pending_login(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Is it you? The first step of every waiting request."""
    if request.method == "GET":
        return _page(request, pending)
    if "cancel" in request.POST:
        raise denied_by_user()
    return _try_login(request, pending) or redirect_within(pending.url)


@step("POST")
def another_account(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Not you? The session ends, the request waits for somebody else."""
    sign_out(request)
    return redirect_within(f"{pending.url}/login")


def sign_out(request: HttpRequest) -> None:
    """Ends the session in this browser, and what was granted for as long as it lasts (E92)."""
    end_online_access_of(request)
    auth.logout(request)


def _try_login(request: HttpRequest, pending: Pending | None = None) -> HttpResponse | None:
    """The page again after a failed try; nothing if the person is in."""
    now, reference = clock.now(), random_reference()
    confirming = _confirming(request, pending)
    name = confirming.username if confirming else request.POST.get("username", "")
    password = request.POST.get("password", "")
    tried = attempt(name, password, client_address(request), now=now)
    if tried.counts:
        with transaction.atomic():
            tried = apply_rate_limit(tried, now=now)
            _record(tried, now, reference)
    if tried.result != "right" or tried.user is None:
        return _page(request, pending, tried, now + tried.wait * SECOND, reference)
    start_session(request, tried.user, now=now)
    return None


def start_session(request: HttpRequest, person: User, *, now: int) -> None:
    """The person is signed in in this browser; somebody else who was is signed out."""
    if signed_in_user(request) not in (None, person):
        sign_out(request)
    sessions.begin(request, person, now=now)
    online_access.mark_session(request)


def _record(tried: Attempt, now: int, reference: str) -> None:
    """One event a try; of names that nobody has only the first of an address, then their number (SD-20)."""
    reason = tried.reason
    if tried.user is None:
        counted = rate_limit.count("unknown account", "", tried.address, now=now)
        if not counted.is_worth_an_event:
            return
        reason = counted.so_far
    person = tried.user.subject if tried.user else ""
    kind = KINDS[tried.result]
    record_events(Event(kind=kind, at=now, person=person, address=tried.address, reason=reason, reference=reference))


def _confirming(request: HttpRequest, pending: Pending | None) -> User | None:
    """Who is signed in and proves it again, since a token of the app was blocked at another address (SD-06)."""
    user = signed_in_user(request)
    return user if pending and user and must_confirm_password(request, pending, user) else None


def _confirmation(request: HttpRequest, pending: Pending) -> dict[str, object]:
    """What the page says of the new address; never the earlier one: nobody has proved anything yet."""
    user = _confirming(request, pending)
    if user is None:
        return {}
    policy = strictest_policy(pending.row.client.address_policy, pending.row.fhir_server.address_policy)
    known = {"username": user.username, "address": client_address(request)}
    return {"confirming": True, "ends": policy == END, **known}


def _expected_username(pending: Pending | None) -> str:
    """The person that the app expects (AZ-22, login_hint): filled in, never looked up."""
    return pending.authorization_request.login_hint[:150] if pending and pending.authorization_request else ""


def _page(
    request: HttpRequest,
    pending: Pending | None = None,
    tried: Attempt | None = None,
    until: int = 0,
    reference: str = "",
) -> HttpResponse:
    context: dict[str, object] = {
        "refused": tried.result if tried else "",
        "username": tried.name if tried else _expected_username(pending),
        "until": to_datetime(until),
        "reference": reference,
    }
    if pending is not None:
        context |= RequestSummary(pending).context()
        context |= _confirmation(request, pending)
    status = STATUS[tried.result] if tried else 200
    response = private_page(
        request, "login.html", context, status=status, leads_to=pending.redirect_uri if pending else ""
    )
    if tried is not None and tried.wait:
        response["Retry-After"] = str(tried.wait)
    return response
