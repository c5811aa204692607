"""What the pickers of patients and of visits share: a list, a search in a long one, and a choice that is proved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import clock
from audit.trail import record
from oauth.authorization.interaction import event
from oauth.authorization.pending_request import Pending
from oauth.authorization.request_summary import Stub
from oauth.http.redirects import person_page
from smart.authorize.error_pages import Unredirectable

SHOWN = 20
SEARCH_FROM = 8

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Row:
    """One patient or visit to choose. The number is the record's row, checked again when it comes back."""

    number: int
    name: str
    description: str
    died: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """Those that are shown, out of how many."""

    rows: list[Row]
    total: int
    sought: str
    cut: bool
    searchable: bool
    unanswered: bool = False


def offer(
    request: HttpRequest,
    every: QuerySet[M],
    fitting: Callable[[QuerySet[M], str], QuerySet[M]],
    row: Callable[[M, bool], Row],
) -> Offer:
    """The first of them, or of those that fit what is sought. `row` hears whether it is the only one."""
    total = every.count()
    searchable = total >= SEARCH_FROM
    wanted = sought(request) if searchable else ""
    found = list(fitting(every, wanted)[: SHOWN + 1])
    return Offer([row(each, total == 1) for each in found[:SHOWN]], total, wanted, len(found) > SHOWN, searchable)


def sought(request: HttpRequest) -> str:
    """What was typed into the search."""
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


def picker_page(
    request: HttpRequest, template: str, pending: Pending, offered: Offer, *, missed: bool, **more: Any
) -> HttpResponse:
    """The page, again with what is missing when nothing was chosen."""
    context = {**Stub(pending).context(), "offer": offered, "missed": missed, **more}
    return person_page(request, template, context, status=422 if missed else 200, leads_to=pending.redirect_uri)


def numbered_among(found: QuerySet[M], number: str) -> M | None:
    """The row of that number, if it is one of these."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return found.filter(pk=int(number)).first()


def tampered(request: HttpRequest, pending: Pending, reason: str) -> Unredirectable:
    """A choice that was not offered: recorded, then stopped (E30)."""
    record(event(request, pending, "choice-tampered", at=clock.now(), reason=reason))
    return Unredirectable("E30", reason)
