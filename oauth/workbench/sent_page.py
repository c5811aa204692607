"""`/dev/tokens/send`, in development only: a bad token goes to the FHIR server that it is for, its good twin first."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from oauth.http.private_page import private_page
from oauth.workbench.hand_out import HandedOut
from oauth.workbench.sending import NoAnswer, can_be_sent, request_head, send
from oauth.workbench.tokens_form import GOOD, TokenForm
from oauth.workbench.tokens_page import NoToken, catalogue_page, kind_row, order_token
from smartauth_probe.verdict import judge

TWIN_SECONDS = "300"
NOT_SENT = "This page sends what a GET can carry only; your test can send this one"


@require_POST
def send_token(request: HttpRequest) -> HttpResponse:
    """New tokens for the form that was sent, both presented, and what the answers are worth."""
    form, kind = TokenForm.of(request.POST), request.POST.get("kind") or GOOD
    try:
        made, members = order_token(form, kind)
        if made.kind is None or not can_be_sent(made.presentation):
            raise NoToken(f"{NOT_SENT}.", "kind")
        twin = _order_twin(form)
        return private_page(request, "dev_token_sent.html", _context(made, twin, members, form))
    except NoToken as problem:
        return catalogue_page(request, form, problem=str(problem), field=problem.field)
    except NoAnswer as problem:
        return catalogue_page(request, form, problem=f"{problem}.", field="aud")


def _order_twin(form: TokenForm) -> HandedOut:
    """A good token for the same that supersedes nothing: one whose life is named has no seat. Raises NoToken."""
    seconds = form.sent["lifetime"] or TWIN_SECONDS
    twin, _ = order_token(TokenForm({**form.sent, "claims": "", "header": "", "lifetime": seconds}), GOOD)
    return twin


def _context(made: HandedOut, twin: HandedOut, members: dict[str, Any], form: TokenForm) -> dict[str, object]:
    """Raises NoAnswer."""
    assert made.kind is not None  # noqa: S101  # only kinds of the catalogue are sent
    base = made.server.base
    good, answer = send(base, twin.presentation), send(base, made.presentation)
    return {
        "made": made,
        "row": kind_row(made.kind),
        "client": members["client"],
        "person": members["user"],
        "verdict": judge(made.kind, good, answer),
        "answer": answer,
        "head": request_head(base, made.presentation),
        "sent": form.sent.items(),
    }
