"""`/dev/tokens/send`, in development only: bad tokens go to the FHIR server that they are for, good twins first."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from oauth.http.private_page import private_page
from oauth.workbench.memory.minted_kinds import MINTED_KIND
from oauth.workbench.memory.results import GOOD, results_of
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.orders.from_form import NoToken
from oauth.workbench.pages.catalogue import catalogue_page, kind_row
from oauth.workbench.pages.token_details import token_parts
from oauth.workbench.sending.exchange import request_head
from oauth.workbench.sending.trial import Trial, try_kind
from oauth.workbench.sending.trial_group import try_group, try_one
from smart.http.about_token import ABOUT_TOKEN
from smartauth_probe.catalogue import groups, kinds
from smartauth_probe.raw_http import NoAnswer
from smartauth_probe.verdict import OK

SHOWN_RESULTS = 20


@require_POST
def send_token(request: HttpRequest) -> HttpResponse:
    """One kind as a page or, for the script that sends many, as the cell of its row; or a whole group as a page."""
    form, kind = TokenForm.of(request.POST), request.POST.get("kind") or GOOD
    request.META[ABOUT_TOKEN] = _about_form(form, kind)
    try:
        if group := request.POST.get("group"):
            return _group_page(request, form, group)
        if "cell" in request.POST and kind in kinds():
            return private_page(request, "dev_result.html", {"tried": try_one(form, kinds()[kind])})
        return private_page(request, "dev_token_sent.html", _context(try_kind(form, kind), form))
    except NoToken as problem:
        return catalogue_page(request, form, problem=str(problem), field=problem.field)
    except NoAnswer as problem:
        return catalogue_page(request, form, problem=f"{problem}.", field="aud")


def _about_form(form: TokenForm, kind: str) -> dict[str, str]:
    """Client, person, FHIR server and patient of the tokens, and the kind if it is one."""
    about = {"client_id": form.sent["client"], "username": form.sent["user"], "aud": form.base}
    return {**about, "patient": form.sent["patient"], **({MINTED_KIND: kind} if kind in kinds() else {})}


def _group_page(request: HttpRequest, form: TokenForm, title: str) -> HttpResponse:
    group = next((group for group in groups() if group.title == title), None)
    if group is None:
        raise NoToken("There is no such group.", "group")
    tried = list(try_group(form, group))
    results = [each.result for each in tried if each.result]
    context: dict[str, object] = {
        "group": group,
        "rows": [(each, kind_row(each.kind)) for each in tried],
        "right": sum(1 for result in results if result.is_right),
        "wrong": sum(1 for result in results if result.is_wrong),
        "total": len(results),
        "base": form.base,
        "sent": form.sent.items(),
        "next": _next_group(title),
    }
    return private_page(request, "dev_group_sent.html", context)


def _next_group(title: str) -> str:
    titles = [group.title for group in groups()]
    return next(iter(titles[titles.index(title) + 1 :]), "")


def _context(trial: Trial, form: TokenForm) -> dict[str, object]:
    made = trial.made
    assert made.kind is not None  # noqa: S101  # only kinds of the catalogue are sent
    results = results_of(made.server.base)
    newest = sorted((name for name in results if name != GOOD), key=lambda name: -results[name].at)
    return {
        "made": made,
        "row": kind_row(made.kind),
        "client": trial.members["client"],
        "person": trial.members["user"],
        "verdict": trial.verdict,
        "answer": trial.answer,
        "question": trial.question,
        "asked": _question_words(trial),
        "head": request_head(made.server.base, made.presentation),
        "sent": form.sent.items(),
        "results": [kind_row(kinds()[name], results[name]) for name in newest[:SHOWN_RESULTS]],
        "result_count": len(newest),
    }


def _question_words(trial: Trial) -> str:
    """What it means that the server asked about the token, or did not."""
    question, is_in = trial.question, trial.answer.status == OK
    if question is None:
        if not is_in:
            return "it decided by itself"
        is_jwt = bool(token_parts(trial.made.token))
        return "so it reads the JWT itself" if is_jwt else "so it does not know whether the token counts"
    if not question.is_active:
        return "and was told that the token is not active"
    return "and was told what the token says"
