"""`/explain`, in development for everybody: what a reference leads to."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.sessions import signed_in_user
from audit.event_kinds import label, result_of
from audit.models import Event
from oauth.explain.answer import Answer, Fact
from oauth.explain.reference_answer import reference_answer
from oauth.http.private_page import private_page
from oauth.models import parse_reference
from smart.time_units import to_datetime

ADDRESS = "/explain"
NOTHING_PASTED = "Type in a reference."
NO_REFERENCE = "That is no reference. One looks like 7F3K-29QD."
_TONES = {"done": "", "refused": "warn", "odd": "bad"}


@require_http_methods(["GET", "HEAD", "POST"])
def explain(request: HttpRequest) -> HttpResponse:
    """The form, and below it what it was answered with."""
    return explain_page(request, ADDRESS)


@require_safe
def explain_reference(request: HttpRequest, reference: str) -> HttpResponse:
    """The same for a reference, which opens nothing and may stand in an address (RFC 6749 §4.1.2.1)."""
    number = parse_reference(reference)
    if number is None:
        return answer_page(request, ADDRESS, problem=NO_REFERENCE, status=404)
    return answer_page(request, ADDRESS, reference_answer(reference, number))


def explain_page(request: HttpRequest, action: str) -> HttpResponse:
    """The page at that address, for a view that has decided who may read it."""
    if request.method != "POST":
        return answer_page(request, action)
    what = request.POST.get("what", "").strip()
    if not what:
        return answer_page(request, action, problem=NOTHING_PASTED, status=422)
    number = parse_reference(what)
    if number is None:
        return answer_page(request, action, problem=NO_REFERENCE, status=422)
    return answer_page(request, action, reference_answer(what, number))


def answer_page(
    request: HttpRequest, action: str, answer: Answer | None = None, *, problem: str = "", status: int = 200
) -> HttpResponse:
    """The form, empty again, with the answer to what was pasted or the problem that it has."""
    user = signed_in_user(request)
    is_operator = user is not None and bool(user.is_staff)
    context: dict[str, object] = {
        "action": action,
        "in_admin": action != ADDRESS,
        "answer": answer,
        "problem": problem,
        "request_line": request.POST.get("request", ""),
    }
    if answer is not None:
        context["since"] = to_datetime(answer.since) if answer.since else None
        context["facts"] = [(fact, _url(fact) if is_operator else "") for fact in answer.facts]
        context["history"] = _history(answer.history)
    return private_page(request, "explain.html", context, status=status)


def _url(fact: Fact) -> str:
    """Where operators look at the row."""
    return reverse(f"admin:{fact.table}_change", args=[fact.key]) if fact.table and fact.key else ""


def _history(events: tuple[Event, ...]) -> list[dict[str, Any]]:
    runs = groupby(events, key=lambda event: (event.kind, event.address, event.reason))
    return [_line(list(run)) for _, run in runs]


def _line(run: list[Event]) -> dict[str, Any]:
    first, last = run[0], run[-1]
    return {
        "at": to_datetime(first.at), "until": to_datetime(last.at), "count": len(run), "what": label(first.kind),
        "reason": first.reason, "address": first.address, "tone": _TONES[result_of(first.kind)],
    }  # fmt: skip
