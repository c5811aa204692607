"""Sessions of people: how one begins, gets a new key, and is seen in use."""

from collections.abc import Callable

from django.contrib import auth
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.address import client_address
from accounts.models import SignIn, User
from accounts.rows import only_row
from accounts.session_store import row_key
from smart.time_units import SECOND

SEEN_EVERY = 60 * SECOND
LONGEST_USER_AGENT = 300
SIGN_IN = "sign_in"


def begin(request: HttpRequest, user: User, *, now: int) -> None:
    """This browser is signed in, under a key that nobody knew before (AZ-21)."""
    auth.login(request, user)
    request.session.cycle_key()  # Django keeps the id when the same person signs in again
    _create_sign_in(request, user, created_at=now, now=now)


def renew(request: HttpRequest, user: User, *, now: int) -> None:
    """A new key for this session, which goes on although the password is another one."""
    known = current(request)
    auth.update_session_auth_hash(request, user)
    _create_sign_in(request, user, created_at=known.created_at if known else now, now=now)


def current(request: HttpRequest) -> SignIn | None:
    """The sign-in that this request belongs to."""
    return only_row(SignIn.objects.filter(session_id=row_key(request.session.session_key)))


def signed_in_user(request: HttpRequest) -> User | None:
    """Who is signed in, if somebody is; nobody in a request that was refused before sessions were looked at."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


class LastSeen:
    """Middleware: notes that a session is in use, and from where, at most once a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and (sign_in := request.session.get(SIGN_IN)):
            _record_use(request, sign_in, now=clock.now())
        return response


def _record_use(request: HttpRequest, sign_in: int, *, now: int) -> None:
    stale = SignIn.objects.filter(pk=sign_in, last_seen_at__lt=now - SEEN_EVERY)
    if stale.exists():
        stale.update(last_seen_at=now, address=client_address(request), user_agent=_user_agent(request))


def _create_sign_in(request: HttpRequest, user: User, *, created_at: int, now: int) -> None:
    kept = SignIn.objects.create(
        user=user,
        session_id=row_key(request.session.session_key),
        created_at=created_at,
        last_seen_at=now,
        address=client_address(request),
        user_agent=_user_agent(request),
    )
    request.session[SIGN_IN] = kept.pk


def _user_agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "").replace("\0", "")[:LONGEST_USER_AGENT]
