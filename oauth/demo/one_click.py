"""`/dev/sign-in`: in development the demo people sign in by one click."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from accounts.usernames import find_user
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.demo import credentials
from oauth.http.redirects import redirect_within
from oauth.sign_in.login import start_session

REASON = "one click, in development"


@require_POST
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """In place of name and password, where everybody knows both; anybody else is led to the login page."""
    person = _demo_person(request.POST.get("as", ""))
    if person is None:
        return redirect_within("/login")
    now = clock.now()
    start_session(request, person, now=now)
    known = {"person": person.subject, "address": client_address(request), "reason": REASON}
    record_events(Event(kind=EventKind.LOGIN_SUCCEEDED, at=now, **known))
    return redirect_within("/")


def _demo_person(username: str) -> User | None:
    """One of the seed who still has the public password and may sign in."""
    person = find_user(username) if username in credentials.PEOPLE else None
    if person is None or person.suspended_at or not person.check_password(credentials.PASSWORD):
        return None
    return person
