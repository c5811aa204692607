"""What the pickers of patients and of visits share: a list, a search in a long one, and a choice that is proved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import record
from oauth.authorization.interaction import interaction_event
from oauth.authorization.pending_request import Pending
from oauth.authorization.request_summary import RequestSummary
from oauth.http.redirects import private_page
from smart.authorize.error_pages import Unredirectable

OPTIONS_LIMIT = 20
SEARCHABLE_FROM = 8

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Option:
    """One patient or visit to choose. The number is the record's row, checked again when it comes back."""

    number: int
    name: str
    description: str
    died: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Options:
    """Those that are shown, out of how many."""

    rows: list[Option]
    total: int
    sought: str
    cut: bool
    searchable: bool
    unanswered: bool = False


def options(
    request: HttpRequest,
    every: QuerySet[M],
    fitting: Callable[[QuerySet[M], str], QuerySet[M]],
    row: Callable[[M, bool], Option],
) -> Options:
    """The first of them, or of those that fit what is sought. `row` hears whether it is the only one."""
    total = every.count()
    searchable = total >= SEARCHABLE_FROM
    wanted = search_text(request) if searchable else ""
    found = list(fitting(every, wanted)[: OPTIONS_LIMIT + 1])
    return Options(
        [row(each, total == 1) for each in found[:OPTIONS_LIMIT]], total, wanted, len(found) > OPTIONS_LIMIT, searchable
    )


def search_text(request: HttpRequest) -> str:
    """What was typed into the search."""
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


def picker_page(
    request: HttpRequest, template: str, pending: Pending, offered: Options, *, missed: bool, **more: Any
) -> HttpResponse:
    """The page, again with what is missing when nothing was chosen."""
    context = {**RequestSummary(pending).context(), "offer": offered, "missed": missed, **more}
    return private_page(request, template, context, status=422 if missed else 200, leads_to=pending.redirect_uri)


def find_option(found: QuerySet[M], number: str) -> M | None:
    """The row of that number, if it is one of these."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return found.filter(pk=int(number)).first()


def record_tampered_choice(request: HttpRequest, pending: Pending, reason: str) -> Unredirectable:
    """A choice that was not offered: recorded, then stopped (E30)."""
    record(interaction_event(request, pending, EventKind.CHOICE_TAMPERED, at=clock.now(), reason=reason))
    return Unredirectable("E30", reason)
