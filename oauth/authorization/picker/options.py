"""What the pickers of patients and of visits share: a list, a search in a long one, and a choice that is proved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from oauth.authorization.pending_request import Pending
from oauth.authorization.request_summary import RequestSummary
from oauth.http.private_page import private_page

OPTIONS_LIMIT = 20
SEARCHABLE_FROM = 8
PAGES = {"patient": ("picker_patients.html", "patient"), "encounter": ("picker_encounters.html", "visit")}

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Option:
    """One patient or visit to choose. The number is the record's row, checked again when it comes back."""

    number: int
    name: str
    description: str
    died: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Options:
    """Those that are shown, out of how many."""

    rows: list[Option]
    total: int
    search_text: str
    has_more: bool
    searchable: bool
    search_failed: bool = False


def options(
    request: HttpRequest,
    every: QuerySet[M],
    matching: Callable[[QuerySet[M], str], QuerySet[M]],
    option: Callable[[M, bool], Option],
) -> Options:
    """The first of them, or of those that match the search. `option` is told whether it is the only one."""
    total = every.count()
    searchable = total >= SEARCHABLE_FROM
    text = search_text(request) if searchable else ""
    found = list(matching(every, text)[: OPTIONS_LIMIT + 1])
    rows = [option(row, total == 1) for row in found[:OPTIONS_LIMIT]]
    return Options(rows, total, text, has_more=len(found) > OPTIONS_LIMIT, searchable=searchable)


def search_text(request: HttpRequest) -> str:
    """What was typed into the search."""
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


def picker_page(
    request: HttpRequest, field: str, pending: Pending, shown: Options, *, missed: bool, **more: Any
) -> HttpResponse:
    """The page, again with what is missing when nothing was chosen. `field` is what the form sends."""
    template, noun = PAGES[field]
    question = {"options": shown, "field": field, "noun": noun, "missed": missed, **more}
    context = {**RequestSummary(pending).context(), **question}
    return private_page(request, template, context, status=422 if missed else 200, leads_to=pending.redirect_uri)


def find_option(found: QuerySet[M], number: str) -> M | None:
    """The row of that number, if it is one of these."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return found.filter(pk=int(number)).first()
