"""`/sessions`: where a person is signed in, and the end of it in one browser or in all of them."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone

from accounts import clock
from accounts.address import client_address
from accounts.models import SignIn, User
from accounts.session_store import row_key
from accounts.sessions import signed_in_user
from oauth.ending.selection import Actor
from oauth.ending.sessions import end_sessions
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from smart.time_units import to_datetime

# the first that is named decides: most browsers also name others
PROGRAMS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "iPhone": "an iPhone",
    "iPad": "an iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "a Mac",
    "Linux": "Linux",
}


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One line of the list, for the person."""

    number: int
    browser: str
    address: str
    since: datetime
    last_used: datetime
    this_one: bool


def sessions(request: HttpRequest) -> HttpResponse:
    """The list, the end of one, and the end of all."""
    user = signed_in_user(request)
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    if user is None:
        return redirect_within("/login?to=sessions")
    return _page(request, user) if request.method == "GET" else _end_chosen(request, user)


def browser(user_agent: str) -> str:
    """A User-Agent in words that a person knows."""
    program = next((name for sign, name in PROGRAMS.items() if f"{sign}/" in user_agent), "Another program")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    return f"{program} on {system}" if system else program


def _end_chosen(request: HttpRequest, user: User) -> HttpResponse:
    """Only the person's own sessions can be named: any other number is nothing."""
    every, actor = SignIn.objects.filter(user=user), Actor(now=clock.now(), address=client_address(request))
    if "everywhere" in request.POST:
        end_sessions(every, user, actor)
        request.session.flush()
        return redirect_within("/login")
    number = request.POST.get("end", "")
    chosen = every.filter(pk=int(number)) if number.isdecimal() and len(number) < 19 else every.none()
    end_sessions(chosen, user, actor)
    return redirect_within("/sessions?ended=1")


def _page(request: HttpRequest, user: User) -> HttpResponse:
    shown = [_session_line(row, request) for row in SignIn.objects.of(user, now=timezone.now())]
    context = {"sessions": shown, "signed_in_as": user, "ended": "ended" in request.GET}
    return private_page(request, "sessions.html", context)


def _session_line(row: SignIn, request: HttpRequest) -> SessionLine:
    return SessionLine(
        number=row.pk,
        browser=browser(row.user_agent),
        address=row.address,
        since=to_datetime(row.created_at),
        last_used=to_datetime(row.last_seen_at),
        this_one=row.session_id == row_key(request.session.session_key),
    )
