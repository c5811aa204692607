"""`/dev/tokens` in the browser, in development only: choose, get a token, see what is wrong with it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from oauth.http.private_page import private_page
from oauth.workbench.api.tokens import TokensView
from oauth.workbench.memory.results import GOOD
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.orders.from_form import NoToken, create_from_form
from oauth.workbench.orders.members import about_order
from oauth.workbench.orders.ordered_token import OrderedToken
from oauth.workbench.pages import token_details
from oauth.workbench.pages.catalogue import catalogue_page, kind_row
from oauth.workbench.sending.exchange import can_be_sent
from smart.http.about_token import ABOUT_TOKEN
from smartauth_probe.catalogue import kinds
from smartauth_probe.kinds import Kind


@csrf_exempt  # no form can send JSON; the one of the page has an address of its own, where its token is asked for
def tokens(request: HttpRequest) -> HttpResponseBase:
    """The page for people; a POST of JSON is for tools."""
    if request.method in ("GET", "HEAD"):
        return catalogue_page(request, TokenForm.beginning(request.GET.get("aud", "")))
    return TokensView.as_view()(request)


@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """The form, sent: a page with the token, which a reload makes anew; or the form again with what is wrong."""
    form = TokenForm.of(request.POST)
    try:
        made, members = create_from_form(form, request.POST.get("kind") or GOOD)
        request.META[ABOUT_TOKEN] = about_order(members, made)
    except NoToken as problem:
        return catalogue_page(request, form, problem=str(problem), field=problem.field)
    return private_page(request, "dev_token.html", _details(made, members, form))


def _details(made: OrderedToken, members: dict[str, Any], form: TokenForm) -> dict[str, object]:
    """Everything that the page of one token shows."""
    parts = token_details.read_parts(made)
    return {
        "made": made,
        "can_be_sent": made.kind is not None and can_be_sent(made.presentation),
        "row": kind_row(made.kind) if made.kind else None,
        "is_changed": made.kind is None and made.good is not None,
        "token_parts": token_details.token_parts(made.token),
        "parts": parts,
        "expected": token_details.expected_responses(made.kind.answer) if made.kind else [],
        "curl": token_details.curl_line(made.server.base, made.presentation),
        "order": token_details.order_line(settings.SMARTAUTH_ISSUER, members),
        "sent": form.sent.items(),
        "client": members["client"],
        "person": members.get("user", ""),
        "neighbours": _neighbours(made.kind),
    }


def _neighbours(kind: Kind | None) -> list[tuple[str, str]]:
    """The kinds before and after it in the catalogue, each with the word for its way."""
    if kind is None:
        return []
    names = list(kinds())
    place = names.index(kind.name)
    before = [("Previous", name) for name in names[max(place - 1, 0) : place]]
    return [*before, *(("Next", name) for name in names[place + 1 : place + 2])]
