"""`/explain`, in development for everybody: a token or a reference is pasted, and the rule that decided is read."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock
from accounts.sessions import signed_in_user
from oauth.explain.answer import Answer, Fact
from oauth.explain.history import history_lines
from oauth.explain.judgement import Judgement, judge_token
from oauth.explain.reference_answer import reference_answer
from oauth.explain.reference_subject import reference_subject
from oauth.explain.token_answer import token_answer
from oauth.http.private_page import private_page
from oauth.models import parse_reference
from smart.decisions.fhir_request import UnreadableRequest
from smart.time_units import to_datetime

ADDRESS = "/explain"
NOTHING_PASTED = "Paste a token or a reference."
NO_REFERENCE = "That is no reference. One looks like 7F3K-29QD."


@require_http_methods(["GET", "HEAD", "POST"])
def explain_page(request: HttpRequest) -> HttpResponse:
    """The form, and below it what it was answered with. A token comes by POST only: no address ever holds one."""
    return page_at(request, ADDRESS)


@require_safe
def explain_reference(request: HttpRequest, reference: str) -> HttpResponse:
    """The same for a reference, which opens nothing and may stand in an address (RFC 6749 §4.1.2.1)."""
    number = parse_reference(reference)
    if number is None:
        return answer_page(request, ADDRESS, problem=NO_REFERENCE, status=404)
    return answer_page(request, ADDRESS, _of_reference(number))


def _of_reference(number: int) -> Answer:
    """Of what was refused under it; where nothing is kept, of the token with that number."""
    now = clock.now()
    found = reference_subject(number, now=now)
    return token_answer(found, now=now) if isinstance(found, Judgement) else reference_answer(found, number)


def page_at(request: HttpRequest, action: str) -> HttpResponse:
    """The page at that address, for a view that has decided who may read it."""
    if request.method != "POST":
        return answer_page(request, action)
    what = request.POST.get("what", "").strip()
    if not what:
        return answer_page(request, action, problem=NOTHING_PASTED, status=422)
    number, now = parse_reference(what), clock.now()
    if number is not None:
        return answer_page(request, action, _of_reference(number))
    try:
        judgement = judge_token(what, request.POST.get("request", "").strip(), now=now)
    except UnreadableRequest as problem:
        return answer_page(request, action, request_problem=str(problem), status=422)
    return answer_page(request, action, token_answer(judgement, now=now))


def answer_page(
    request: HttpRequest,
    action: str,
    answer: Answer | None = None,
    *,
    problem: str = "",
    request_problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The form, empty again, with the answer to what was pasted or the problem that it has."""
    user = signed_in_user(request)
    is_operator = user is not None and bool(user.is_staff)
    context: dict[str, object] = {
        "action": action,
        "in_admin": action != ADDRESS,
        "answer": answer,
        "problem": problem,
        "request_problem": request_problem,
        "request_line": request.POST.get("request", ""),
    }
    if answer is not None:
        context["since"] = to_datetime(answer.since) if answer.since else None
        context["facts"] = [(fact, _url(fact) if is_operator else "") for fact in answer.facts]
        context["history"] = history_lines(answer.history)
    return private_page(request, "explain.html", context, status=status)


def _url(fact: Fact) -> str:
    """Where operators look at the row."""
    return reverse(f"admin:{fact.table}_change", args=[fact.key]) if fact.table and fact.key else ""
