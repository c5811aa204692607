"""`/apps`: what a person has allowed, and the end of it (RV-05). SMART's `management_endpoint`."""

from collections.abc import Iterable

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from accounts.sessions import signed_in_user
from oauth.connected_apps.cards import MAX_CARDS, AppCard, EndedCard, ended_cards, live_cards, longest_token_seconds
from oauth.connected_apps.listed_access import live_access
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.ending.sessions import end_every_session
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from oauth.models import Authorization, parse_reference, public_reference
from smart.wording.consent_lines import duration

SIGN_IN = "/login?to=apps"


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
    access.end(Selection.of_authorizations([row]), _actor(request), EndedFor.PERSON)
    return redirect_within(f"/apps?ended={public_reference(row.pk)}")


def end_all(request: HttpRequest) -> HttpResponse:
    """Asks once more, then nothing that this person allowed lives, and nobody is signed in as them."""
    user = signed_in_user(request)
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    if user is None:
        done = request.method == "GET" and "done" in request.GET
        return private_page(request, "apps_ended.html", {}) if done else redirect_within(SIGN_IN)
    if request.method == "GET":
        count = live_access(user, now=clock.now()).order_by().values("client").distinct().count()
        return private_page(request, "apps_end_all.html", {"signed_in_as": user, "count": count})
    _end_everything(user, _actor(request))
    request.session.flush()
    return redirect_within("/apps/end-all?done=1")


def _end_everything(user: User, actor: Actor) -> None:
    with transaction.atomic():
        access.end(Selection.everything(user), actor, EndedFor.PERSON)
        end_every_session(user, actor)


def _actor(request: HttpRequest) -> Actor:
    return Actor(now=clock.now(), address=client_address(request))


def _page(request: HttpRequest, user: User) -> HttpResponse:
    now = clock.now()
    cards, ended = live_cards(user, now=now), ended_cards(user, now=now)
    taken_back = _just_taken_back(ended, request.GET.get("ended", ""))
    context = {
        "cards": cards,
        "ended": ended,
        "most": MAX_CARDS,
        "within": duration(longest_token_seconds(user)) if cards else "",
        "taken_back": taken_back,
        "another": taken_back is not None and _has_other_access(cards, taken_back),
        "signed_in_as": user,
    }
    return private_page(request, "apps.html", context)


def _just_taken_back(ended: Iterable[EndedCard], number: str) -> EndedCard | None:
    """The one just taken back: only what has really ended is said to have."""
    return next((each for each in ended if each.number == number), None)


def _has_other_access(cards: Iterable[AppCard], ended: EndedCard) -> bool:
    """Whether the same app keeps another access to the same record."""
    return any((card.app, card.record) == (ended.app, ended.record) for card in cards)
