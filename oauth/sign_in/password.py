"""`/password`: a new password, wanted by the person or by an operator, then asked before anything else."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts import clock
from accounts import sessions as accounts_sessions
from accounts.address import client_address
from accounts.login import LONGEST_PASSWORD, Attempt, apply_rate_limit, attempt
from accounts.models import User
from accounts.password_hasher import hashing_for
from accounts.session_store import row_key
from accounts.sessions import signed_in_user
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.authorization.interaction import step
from oauth.authorization.pending_request import Pending
from oauth.authorization.prompts import MUST_ACT, is_silent, require_held_access, silent_refusal
from oauth.authorization.refusals import denied_by_user
from oauth.authorization.request_summary import RequestSummary
from oauth.ending import passwords
from oauth.ending.selection import Actor
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from oauth.sign_in.login import DESTINATIONS, STATUS
from smart.http.errors import InteractionRequired
from smart.time_units import SECOND, is_recent, to_datetime

DIFFERENT = "The two new passwords differ."
SAME = "This is the password that you have. Choose another one."
LONG = f"At most {LONGEST_PASSWORD} characters."

DONE = "/password?done=1"

# what works without a new password: signing in and out, choosing it, and what no person looks at
FREE = ("/login", "/logout", "/password", "/demo", "/fhir/", "/.well-known/", "/healthz", "/readyz", "/o/")
FREE_STEPS = ("/login", "/password", "/another-account", "/another-user")


class RequireNewPassword:
    """Middleware: a person who must choose a new password is led there from every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        handle = kwargs.get("handle") if request.path.startswith("/o/authorize/") else None
        if request.path.endswith(FREE_STEPS) if handle else request.path.startswith(FREE):
            return None
        user = signed_in_user(request)
        if user is None or not user.must_change_password:
            return None
        return redirect_within(f"/o/authorize/{handle}/password" if handle else _own_address(request))


def password(request: HttpRequest) -> HttpResponse:
    """The page alone."""
    user = signed_in_user(request)
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    if user is None:
        return redirect_within("/login?to=password")
    if request.method == "GET":
        return _page(request, user)
    leads_to = {**DESTINATIONS, "": DONE}.get(request.GET.get("to", ""), DONE)
    return _try_change(request, user) or redirect_within(leads_to)


def operators_password(request: HttpRequest) -> HttpResponse:
    """The admin has no page of its own: nothing would end, and no failure would be counted."""
    return redirect_within("/password")


@step("GET", "POST")
def pending_password(request: HttpRequest, pending: Pending) -> HttpResponse:
    """A step of a waiting request, for a person that an operator asked to choose anew."""
    user = signed_in_user(request)
    if user is None or not user.must_change_password:
        return redirect_within(pending.url)
    if is_silent(pending):
        require_held_access(pending, user)
        raise InteractionRequired(MUST_ACT, **silent_refusal("the password must be changed first"))
    if "cancel" in request.POST:
        raise denied_by_user()
    if request.method == "GET":
        return _page(request, user, pending=pending)
    return _try_change(request, user, pending) or redirect_within(pending.url)


def _own_address(request: HttpRequest) -> str:
    return "/password?to=admin" if request.path.startswith("/admin/") else "/password"


def _try_change(request: HttpRequest, user: User, pending: Pending | None = None) -> HttpResponse | None:
    """The page again with what is wrong; nothing if the new password counts."""
    address = client_address(request)
    tried = _check_current(request, user, address)
    if tried is not None and tried.result != "right":
        return _page(request, user, pending=pending, tried=tried)
    if wrong := _problems(request, user):
        return _page(request, user, pending=pending, wrong=wrong)
    actor = Actor(now=clock.now(), address=address)
    passwords.hash_password(user, request.POST["new"], actor)
    with transaction.atomic():
        passwords.store_password(
            user,
            actor,
            keep_session=row_key(request.session.session_key),
            keep_request=pending.row.pk if pending else None,
        )
        accounts_sessions.renew(request, user, now=clock.now())
    return None


def _check_current(request: HttpRequest, user: User, address: str) -> Attempt | None:
    """The try with the current password, counted like one at the login; None where it was asked a moment ago."""
    if not _requires_current(request, user):
        return None
    now = clock.now()
    tried = attempt(user.username, request.POST.get("current", ""), address, now=now)
    if tried.counts:
        with transaction.atomic():
            tried = apply_rate_limit(tried, now=now)
            if tried.result != "right":
                kind = EventKind.RATE_LIMITED if tried.result == "rate-limited" else EventKind.LOGIN_FAILED
                reason = f"password page, {tried.reason}" if tried.shares_count else "password page"
                record_events(Event(kind=kind, at=now, person=user.subject, address=address, reason=reason))
    return tried


def _requires_current(request: HttpRequest, user: User) -> bool:
    """Not of somebody who has signed in with it since the operator asked for a new one."""
    sign_in = accounts_sessions.current(request)
    asked_at = user.must_change_password
    return not (asked_at and sign_in and is_recent(sign_in.created_at, since=asked_at, now=clock.now()))


def _problems(request: HttpRequest, user: User) -> list[str]:
    """What is wrong with the new password."""
    new = request.POST.get("new", "")
    if len(new) > LONGEST_PASSWORD:
        return [LONG]
    if new != request.POST.get("again", ""):
        return [DIFFERENT]
    try:
        validate_password(new, user)
    except ValidationError as error:
        return list(error.messages)
    with hashing_for(client_address(request)):
        return [SAME] if user.check_password(new) else []


def _page(
    request: HttpRequest,
    user: User,
    *,
    pending: Pending | None = None,
    tried: Attempt | None = None,
    wrong: list[str] | None = None,
) -> HttpResponse:
    wait = tried.wait if tried else 0
    context: dict[str, object] = {
        "required": bool(user.must_change_password),
        "asks_current": _requires_current(request, user),
        "refused": tried.result if tried else "",
        "until": to_datetime(clock.now() + wait * SECOND),
        "wrong": wrong or [],
        "done": "done" in request.GET and request.method == "GET",
    }
    if pending is not None:
        context |= RequestSummary(pending).context()
    context |= {"signed_in_as": user, "frame": "base.html" if user.must_change_password else "work.html"}
    status = STATUS[tried.result] if tried else 422 if wrong else 200
    leads_to = pending.redirect_uri if pending else ""
    response = private_page(request, "password.html", context, status=status, leads_to=leads_to)
    if wait:
        response["Retry-After"] = str(wait)
    return response
