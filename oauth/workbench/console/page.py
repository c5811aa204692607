"""`/dev/console`, in development only: every request about a token, why it was refused, and one of them in full."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts import clock
from oauth.http.option import Option
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from oauth.workbench.console.buffer import buffer
from oauth.workbench.console.duties import with_duties
from oauth.workbench.console.filters import ANSWERS, Filters
from oauth.workbench.console.people import with_people
from oauth.workbench.console.row import Row
from smart.time_units import to_datetime

PAGE = "/dev/console"
MOST_CAUSES = 10


@dataclass(frozen=True, slots=True)
class Cause:
    """Why requests were refused, how often, and how long its bar is beside that of the most frequent one."""

    reason: str
    times: int
    percent: int
    query: str


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """The newest first, those that the URL asks for; `at` is the number of the one in the pane."""
    filters, every = Filters.of(request.GET.dict()), with_duties(with_people(buffer.rows()))
    shown = [row for row in reversed(every) if filters.shows(row)]
    number = request.GET.get("at", "")
    context: dict[str, object] = {
        "rows": shown,
        "is_empty": not every,
        "latest": buffer.latest,
        "filters": filters,
        **_counts(filters, every),
        "clients": _options((row.client for row in every), filters.client),
        "servers": _options((row.server for row in every), filters.server),
        "now": to_datetime(clock.now()).strftime("%H:%M:%S"),
        "causes": _causes(every, filters),
        "row_query": filters.query(),
        "chosen": next((row for row in every if str(row.number) == number), None),
        "is_gone": bool(number),
    }
    return private_page(request, "console.html", context)


@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    """Forgets every row."""
    buffer.clear()
    return redirect_within(PAGE)


def _counts(filters: Filters, every: list[Row]) -> dict[str, object]:
    """How many fit each answer that may be chosen."""
    counts = filters.counts(every)
    return {"chips": _chips(filters, counts), "refused": counts["refused"], "of": counts["all"]}


def _chips(filters: Filters, counts: dict[str, int]) -> list[dict[str, object]]:
    return [
        {
            "name": name or "all",
            "text": text,
            "count": counts[name or "all"],
            "is_chosen": filters.answer == name,
            "query": filters.query(answer=name),
        }
        for name, text in {"": "All", **ANSWERS}.items()
    ]


def _options(values: Iterable[str], chosen: str) -> list[Option]:
    names = sorted({*values, chosen} - {""})
    return [Option(name, name, name == chosen) for name in names]


def _causes(rows: list[Row], filters: Filters) -> list[Cause]:
    refused = [row for row in rows if row.is_refused and row.cause and filters.covers(row)]
    reasons = {row.cause: row.reason for row in refused}
    found = Counter(row.cause for row in refused).most_common(MOST_CAUSES)
    return [
        Cause(
            reasons[cause] or cause, times, round(100 * times / found[0][1]), filters.query(why=cause, answer="refused")
        )
        for cause, times in found
    ]
