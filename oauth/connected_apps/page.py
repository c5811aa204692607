"""`/apps`: what a person has allowed, and the end of it (RV-05). SMART's `management_endpoint`."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts import clock
from accounts.address import client_address
from accounts.models import SignIn, User
from accounts.sessions import signed_in_user
from audit.event_kinds import EventKind
from audit.trail import Event, record
from oauth.connected_apps import access
from oauth.connected_apps.cards import MAX_CARDS, AppCard, EndedCard, ended_cards, live_cards, longest_token_seconds
from oauth.http.redirects import private_page, redirect_within
from oauth.models import Authorization, parse_reference, public_reference
from oauth.sign_in import sessions
from smart.wording.consent_lines import duration

SIGN_IN = "/login?to=apps"
EVENTS_AT_ONCE = 500


def apps(request: HttpRequest) -> HttpResponse:
    """What lives and what has ended."""
    user = signed_in_user(request)
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    return _page(request, user) if user else redirect_within(SIGN_IN)


def end(request: HttpRequest, number: str) -> HttpResponse:
    """Takes one access back, at once: the next introspection and the next refresh know it (RV-06)."""
    user = signed_in_user(request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if user is None:
        return redirect_within(SIGN_IN)
    row = Authorization.objects.of(user).filter(pk=parse_reference(number) or 0).first()
    if row is None:
        raise Http404
    now = clock.now()
    with transaction.atomic():
        if Authorization.objects.filter(pk=row.pk).end("person", now=now):
            record(_taken_back(row, client_address(request), now=now))
    return redirect_within(f"/apps?ended={public_reference(row.pk)}")


def end_all(request: HttpRequest) -> HttpResponse:
    """Asks once more, then nothing that this person allowed lives, and nobody is signed in as him."""
    user = signed_in_user(request)
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    if user is None:
        done = request.method == "GET" and "done" in request.GET
        return private_page(request, "apps_ended.html", {}) if done else redirect_within(SIGN_IN)
    if request.method == "GET":
        count = access.live_access(user, now=clock.now()).order_by().values("client").distinct().count()
        return private_page(request, "apps_end_all.html", {"signed_in_as": user, "count": count})
    _everything(user, client_address(request))
    request.session.flush()
    return redirect_within("/apps/end-all?done=1")


def _everything(user: User, address: str) -> None:
    """His epoch too: a code or token that is made meanwhile, under what was allowed before, is dead as well."""
    now = clock.now()
    with transaction.atomic():
        living = list(access.live_access(user, now=now))
        # the person before the authorizations, as everywhere: locks have one order
        User.objects.get_queryset().filter(pk=user.pk).end_access()
        Authorization.objects.filter(user=user).end("person", now=now)
        sessions.end(SignIn.objects.filter(user=user), user, address)
        _record_all([_taken_back(row, address, now=now, reason="everything") for row in living])


def _record_all(events: Sequence[Event]) -> None:
    for first in range(0, len(events), EVENTS_AT_ONCE):
        record(*events[first : first + EVENTS_AT_ONCE])


def _taken_back(row: Authorization, address: str, *, now: int, reason: str = "") -> Event:
    return Event(kind=EventKind.ACCESS_TAKEN_BACK, at=now, address=address, reason=reason, **row.event_fields())


def _page(request: HttpRequest, user: User) -> HttpResponse:
    now = clock.now()
    slips, ended = live_cards(user, now=now), ended_cards(user, now=now)
    taken_back = _named(ended, request.GET.get("ended", ""))
    context = {
        "slips": slips,
        "ended": ended,
        "most": MAX_CARDS,
        "within": duration(longest_token_seconds(user)) if slips else "",
        "taken_back": taken_back,
        "another": taken_back is not None and _still(slips, taken_back),
        "signed_in_as": user,
    }
    return private_page(request, "apps.html", context)


def _named(ended: Iterable[EndedCard], number: str) -> EndedCard | None:
    """The one just taken back: only what has really ended is said to have."""
    return next((each for each in ended if each.number == number), None)


def _still(slips: Iterable[AppCard], ended: EndedCard) -> bool:
    """Whether the same app keeps another access to the same record."""
    return any((slip.app, slip.record) == (ended.app, ended.record) for slip in slips)
